import time

from agent.clock import Now, boot_id


def test_reads_both_clocks() -> None:
    before = time.monotonic_ns(), time.time_ns()
    now = Now.read()
    assert before[0] <= now.monotonic_ns <= time.monotonic_ns()
    assert abs(now.wall_ns - before[1]) < 10 * 10**9


def test_a_boot_has_one_id() -> None:
    assert boot_id() == boot_id() != ""
