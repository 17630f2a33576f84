"""Measures Hefery beside other tools: each `bench_<name>.py` has `rows(*, quick: bool) -> Iterator[Row]`."""
