from lab.trials.copies import (
    continuation,
    counter_at,
    first_answer_s,
    hosts,
    live_copies_max,
    longest_silence_s,
    never_steps_back,
)
from lab.trials.sightings import Answer, Frame

MS = 10**6
BOOT = "0a1b2c3d"


def ticks(host: str, start_ms: int, counters: range, boot: str = BOOT) -> list[Frame]:
    """A tick every 20 ms, as of a guest that catches up."""
    return [Frame(host, (start_ms + 20 * i) * MS, counter, boot) for i, counter in enumerate(counters)]


BEFORE = ticks("a", 0, range(1000, 1050))  # until 980 ms
TAKEN_OVER = BEFORE + ticks("b", 3000, range(1040, 1100))


def test_only_a_question_asked_after_the_cut_tells_of_the_backup() -> None:
    answers = [
        Answer(900 * MS, 1010 * MS, 1049, BOOT),  # on its way when the power failed
        Answer(3900 * MS, 4200 * MS, 1085, BOOT),
        Answer(3800 * MS, 4100 * MS, 1080, BOOT),
    ]
    assert first_answer_s(answers, 1000 * MS) == 3.1
    assert first_answer_s(answers[:1], 1000 * MS) is None


def test_a_takeover_is_one_copy_after_the_other() -> None:
    assert live_copies_max(TAKEN_OVER) == 1
    assert hosts(TAKEN_OVER) == ["a", "b"]


def test_two_copies_are_seen_though_their_frames_do_not_overlap_by_much() -> None:
    late = Frame("a", 3001 * MS)  # 1 ms after the first of the other, and not even a tick
    assert live_copies_max([*TAKEN_OVER, late]) == 2


def test_a_copy_that_wakes_beside_a_silent_one_is_seen() -> None:
    beside = ticks("b", 400, range(1010, 1012))  # within a pause of the first
    assert live_copies_max([*BEFORE[:15], *beside, *BEFORE[40:]]) == 2


def test_no_frames_are_no_copies() -> None:
    assert live_copies_max([]) == 0


def test_the_guest_goes_on_from_a_state_it_had_been_in() -> None:
    went_on = continuation(TAKEN_OVER, "a", "b")
    assert went_on is not None
    assert (went_on.before, went_on.after, went_on.silence_s) == (1049, 1040, 2.02)
    assert went_on.goes_on(least=1040)
    assert not went_on.goes_on(least=1041)  # an older state than the backup must have had


def test_it_may_have_counted_while_its_network_was_not_back() -> None:
    for first, goes_on in ((1049 + 40 + 20, True), (1049 + 40 + 21, False)):
        went_on = continuation(BEFORE + ticks("b", 3000, range(first, first + 9)), "a", "b")
        assert went_on is not None
        assert went_on.goes_on(least=1040) is goes_on


def test_a_guest_that_began_anew_does_not_go_on() -> None:
    for counters, boot in ((range(1, 50), BOOT), (range(1040, 1050), "ffffffff")):
        went_on = continuation(BEFORE + ticks("b", 3000, counters, boot), "a", "b")
        assert went_on is not None
        assert not went_on.goes_on(least=1000)


def test_the_counter_at_an_instant_is_the_last_one_heard() -> None:
    assert counter_at(BEFORE, "a", 100 * MS) == 1005
    assert counter_at(BEFORE, "b", 100 * MS) == 0


def test_a_guest_that_is_not_heard_again_has_not_gone_on() -> None:
    assert continuation(BEFORE, "a", "b") is None


def test_silence_counts_from_the_cut_to_the_end() -> None:
    assert longest_silence_s(TAKEN_OVER, 500 * MS, 4000 * MS) == 2.02
    assert longest_silence_s(BEFORE, 500 * MS, 6000 * MS) == 5.02
    assert longest_silence_s(BEFORE, 100 * MS, 900 * MS) == 0.02


def test_a_counter_that_steps_back_or_another_boot_is_noticed() -> None:
    assert never_steps_back(BEFORE)
    assert not never_steps_back(TAKEN_OVER)
    assert not never_steps_back(BEFORE + ticks("a", 3000, range(2000, 2010), "ffffffff"))
