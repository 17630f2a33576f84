from lab.trials.guards import reasons

JOURNAL = """\
web1: paused: the lease was not renewed in time (3.1 ms after its deadline)
web1: goes_on: the lease is held
db: paused: Xen cannot tell how it is
web1: paused: by its minder 6.0 ms after its deadline: its guard did not
"""


def test_each_pause_of_the_guest_has_its_reason() -> None:
    assert reasons(JOURNAL, "web1") == [
        "the lease was not renewed in time (3.1 ms after its deadline)",
        "by its minder 6.0 ms after its deadline: its guard did not",
    ]
    assert reasons("", "web1") == []
