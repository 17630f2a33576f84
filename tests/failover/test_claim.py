"""The rules of a copy's claim, step by step, and as a whole by random answers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.claim import begins, decide
from failover.claim_answers import heard
from failover.claim_state import Asked, Begin, Claim, Limits, Sight, Step
from failover.gate import Evidence, Verdict
from failover.guard_state import Answer, Answers, Ask, Denied, Given
from failover.guard_store import Armed
from failover.lease import Held, Noted, Refused, Released, Unknown
from failover.lease_record import Record
from failover.pulse import Pulse

S, MS = 10**9, 10**6
NOW = 1000 * S
LIMITS = Limits("b", mark="copy", pause_ns=3 * S // 2, margin_ns=S // 2, renew_ns=S // 2, away_ns=5 * S)
CALM = Sight(Begin.CALM, is_whole=True, has_ended=False, is_drained=False, number=7)
SILENT = replace(CALM, begins=Begin.SILENT_HOST)
ENDED = replace(CALM, begins=Begin.ENDED, has_ended=True)
OURS = Record(epoch=5, beat=6, holder="a", ttl_s=2.0, nonce="x", noted=6, runner="a", runner_epoch=5, backup="copy")
ALONE = replace(OURS, backup="")
TAKEN = replace(OURS, runner="b", runner_epoch=9, backup="")
PROBED = Claim(fence_answered_ns=NOW, fence_ask_ns=NOW + S)
WON = replace(PROBED, epoch=9, deadline_ns=NOW + S, won_ns=NOW, has_won=True, ask_ns=NOW + S // 2, fence_ask_ns=0)
FENCED = replace(WON, is_fenced=True, ask_ns=NOW)
READY = replace(FENCED, is_taken=True, ask_ns=NOW + S // 2)


def step(claim: Claim, sight: Sight, now_ns: int = NOW) -> Step:
    return decide(claim, now_ns, sight, LIMITS)[1]


def asked(ask: Ask, claim: Claim = PROBED, *, is_final: bool = False) -> Asked:
    return Asked(ask, claim.epoch or claim.burnt_epoch, claim.has_won, is_final)


def after(claim: Claim, ask: Ask, answer: Answer, now_ns: int = NOW, *, is_final: bool = False) -> Claim:
    return heard(claim, asked(ask, claim, is_final=is_final), answer, now_ns, LIMITS)


def test_a_takeover_goes_from_lease_to_fence_to_record_to_stream_to_guard() -> None:
    claim = Claim()
    assert step(claim, SILENT).asks == (Ask.LOOK, Ask.PROBE)
    claim = after(claim, Ask.PROBE, Answers())
    assert step(claim, SILENT).asks == (Ask.CLAIM,)
    claim = after(claim, Ask.CLAIM, Held(9, NOW + 2 * S))
    assert step(claim, SILENT).asks == (Ask.FENCE,)
    claim = after(claim, Ask.FENCE, Given(9))
    assert step(claim, SILENT).asks == (Ask.TELL,)
    claim = after(claim, Ask.TELL, Noted())
    assert step(claim, SILENT).verdict is Verdict.DRAIN
    assert step(claim, ENDED).verdict is Verdict.DRAIN
    drained = replace(ENDED, is_drained=True)
    assert step(claim, drained).armed == Armed(7, 9, NOW + 2 * S - LIMITS.margin_ns)
    assert step(claim, drained).asks == ()
    armed = replace(drained, is_armed=True)
    assert step(claim, armed).verdict is Verdict.WAIT
    assert step(claim, replace(armed, is_guarded=True)).verdict is Verdict.TAKE_OVER


@pytest.mark.parametrize(
    ("claim", "sight"),
    [
        (PROBED, CALM),
        (replace(PROBED, fence_answered_ns=None), ENDED),
        (replace(PROBED, fence_answered_ns=NOW - 2 * S - 1), ENDED),
        (replace(PROBED, fence_answered_ns=NOW + 1), ENDED),  # the clock has gone back
        (replace(PROBED, claim_ns=NOW + 1), ENDED),
        (PROBED, replace(ENDED, number=None)),
        (PROBED, replace(ENDED, is_guard_awake=False)),
    ],
)
def test_the_lease_is_only_looked_at_where_the_copy_could_not_run(claim: Claim, sight: Sight) -> None:
    assert Ask.CLAIM in step(PROBED, ENDED).asks
    asks = step(replace(claim, ask_ns=NOW - 1000 * S), sight).asks
    assert Ask.LOOK in asks
    assert Ask.CLAIM not in asks


NAMED = replace(PROBED, named_ns=NOW)


@pytest.mark.parametrize(
    ("claim", "sight"),
    [
        (replace(NAMED, named_ns=None), SILENT),
        (replace(NAMED, named_ns=NOW - 2 * S - 1), SILENT),
        (replace(NAMED, fence_answered_ns=None), SILENT),
        (replace(NAMED, fence_answered_ns=NOW - 2 * S - 1), SILENT),
        (NAMED, replace(SILENT, number=None)),
        (NAMED, replace(SILENT, is_guard_awake=False)),
        (NAMED, replace(SILENT, is_whole=False)),
    ],
)
def test_a_copy_could_follow_at_once_where_nothing_but_the_lease_is_in_its_way(claim: Claim, sight: Sight) -> None:
    assert step(NAMED, SILENT).is_ready
    assert not step(claim, sight).is_ready


@pytest.mark.parametrize(
    ("answer", "is_ready"),
    [(Refused(OURS, 1.0), True), (Refused(OURS), True), (Refused(ALONE), False), (Unknown("no answer in time"), False)],
)
def test_only_a_record_that_names_the_copy_lets_it_follow(answer: Answer, is_ready: bool) -> None:
    for before in (PROBED, NAMED):
        assert step(after(before, Ask.LOOK, answer), SILENT).is_ready is is_ready


def test_a_calm_gate_sees_each_beat_and_seldom_calls_the_fence() -> None:
    claim = replace(PROBED, ask_ns=NOW - S // 4 + 1, fence_ask_ns=NOW - 59 * S)
    assert step(claim, CALM).asks == ()
    assert step(claim, SILENT).asks == (Ask.CLAIM, Ask.PROBE)
    assert step(claim, CALM, NOW + 1).asks == (Ask.LOOK,)
    assert step(claim, CALM, NOW + S).asks == (Ask.LOOK, Ask.PROBE)


def test_a_silent_stream_is_a_reason_once_the_lease_is_not_renewed() -> None:
    """Nothing flows between two checkpoints, nor where the primary cannot renew, and so has paused its guest."""
    quiet = replace(CALM, begins=Begin.SILENT_STREAM)
    seen = after(PROBED, Ask.LOOK, Refused(OURS))
    assert step(seen, quiet, NOW + S // 3).asks == ()
    assert step(seen, quiet, NOW + 600 * MS).asks == (Ask.LOOK,)
    again_ns = NOW + 600 * MS
    same = after(seen, Ask.LOOK, Refused(OURS), again_ns)
    assert step(same, quiet, NOW + S).asks == (Ask.CLAIM, Ask.PROBE)
    free = after(PROBED, Ask.LOOK, Refused(replace(OURS, beat=0)))
    assert step(free, quiet, NOW + S).asks == (Ask.CLAIM, Ask.PROBE)
    renewed = after(seen, Ask.LOOK, Refused(replace(OURS, beat=7)), again_ns)
    assert step(renewed, quiet, again_ns + 600 * MS).asks == (Ask.LOOK,)


def test_a_lease_that_is_held_is_asked_for_when_it_may_be_free() -> None:
    assert after(PROBED, Ask.CLAIM, Refused(OURS, 0.03)).ask_ns == NOW + 30 * MS
    assert after(PROBED, Ask.CLAIM, Refused(OURS, 1.7)).ask_ns == NOW + 100 * MS
    assert after(PROBED, Ask.LOOK, Refused(OURS)).ask_ns == NOW + 100 * MS


def test_the_fence_is_called_as_soon_as_the_lease_is_won() -> None:
    """Whatever was asked of it before."""
    late = after(WON, Ask.PROBE, Answers())
    assert step(late, ENDED).asks == (Ask.FENCE,)
    soon_free = after(PROBED, Ask.CLAIM, Refused(OURS, 1.5))
    assert step(soon_free, ENDED, NOW + 3 * S // 2 - 1).asks == (Ask.CLAIM,)
    assert step(soon_free, ENDED, NOW + 2 * S).asks == (Ask.CLAIM, Ask.PROBE)
    long_held = after(PROBED, Ask.CLAIM, Refused(OURS, 2.1))
    assert step(long_held, ENDED, NOW + 3 * S // 2).asks == (Ask.CLAIM, Ask.PROBE)


def test_only_a_record_that_names_another_destroys() -> None:
    claim = after(PROBED, Ask.CLAIM, Refused(ALONE), is_final=True)
    assert step(claim, ENDED) == Step(Verdict.GIVE_UP, "the guest is a's, and this copy is no backup of it")
    for answer in (Refused(OURS, 1.0), Refused(OURS), Unknown("no answer in time")):
        assert step(after(PROBED, Ask.CLAIM, answer, is_final=True), ENDED).verdict is Verdict.WAIT


def test_a_record_of_before_the_streams_end_does_not_destroy() -> None:
    """The primary writes of its backup while the stream flows, and this may have come since."""
    claim = after(PROBED, Ask.LOOK, Refused(ALONE))
    assert step(claim, ENDED).verdict is Verdict.WAIT
    assert step(claim, SILENT).verdict is Verdict.WAIT
    nobodys = after(PROBED, Ask.LOOK, Refused(Record()), is_final=True)
    assert step(nobodys, ENDED).verdict is Verdict.GIVE_UP


def test_what_the_copy_has_itself_written_of_the_guest_is_no_other_copy() -> None:
    lost = after(FENCED, Ask.TELL, Unknown("no answer in time"))
    assert (lost.epoch, lost.is_taken) == (0, False)
    assert step(after(lost, Ask.CLAIM, Refused(TAKEN), is_final=True), ENDED).verdict is Verdict.WAIT
    assert step(after(PROBED, Ask.CLAIM, Refused(TAKEN), is_final=True), ENDED).verdict is Verdict.GIVE_UP


def test_a_part_of_a_copy_asks_nothing_and_ends_with_its_stream() -> None:
    part = replace(SILENT, is_whole=False, is_armed=True, is_guarded=True)
    assert step(PROBED, part) == Step(Verdict.WAIT, "the first full copy is on its way")
    assert step(PROBED, replace(part, has_ended=True)).verdict is Verdict.GIVE_UP
    assert step(READY, replace(part, has_ended=True)).verdict is Verdict.GIVE_UP


def test_the_lease_is_renewed_while_the_fence_is_called_and_the_stream_read() -> None:
    assert step(WON, replace(ENDED, is_fence_asked=True)).asks == ()
    assert step(WON, replace(ENDED, is_fence_asked=True), NOW + S // 2).asks == (Ask.RENEW,)
    assert step(READY, ENDED, NOW + S // 2).asks == (Ask.RENEW,)
    assert after(WON, Ask.RENEW, Held(9, NOW + 2 * S)).ask_ns == NOW + S
    renewed = after(READY, Ask.RENEW, Held(9, NOW + 2 * S))
    assert (renewed.deadline_ns, renewed.ask_ns) == (NOW + 3 * S // 2, NOW + S // 2)


def test_the_record_is_written_at_once_when_the_disk_is_there() -> None:
    """Not behind a renewal that was due meanwhile, nor later where one had no answer."""
    won = after(PROBED, Ask.CLAIM, Held(9, NOW + 2 * S))
    assert step(won, replace(ENDED, is_fence_asked=True), NOW + S - 1).asks == ()
    unheard = after(FENCED, Ask.RENEW, Unknown("no answer in time"))
    assert unheard.ask_ns > NOW
    assert step(unheard, ENDED).asks == (Ask.TELL,)


def test_a_deadline_that_has_passed_is_renewed_before_the_guard_is_told() -> None:
    late = replace(READY, deadline_ns=NOW)
    drained = replace(ENDED, is_drained=True)
    assert step(late, drained).armed is None
    assert step(replace(late, ask_ns=NOW), drained).asks == (Ask.RENEW,)


def test_a_fence_that_does_not_answer_is_called_again_until_others_may_try() -> None:
    silent = after(WON, Ask.FENCE, Unknown("no answer within 5 s"))
    assert step(silent, ENDED).asks == ()
    assert step(silent, ENDED, NOW + 100 * MS).asks == (Ask.FENCE,)
    later_ns = NOW + 10 * S + 1
    burnt, given_back = decide(silent, later_ns, ENDED, LIMITS)
    assert given_back.asks == (Ask.RELEASE, Ask.PROBE)
    assert given_back.epoch == 9
    free = after(burnt, Ask.RELEASE, Released(), later_ns)
    probed = replace(free, fence_answered_ns=later_ns + 5 * S, ask_ns=0, fence_ask_ns=later_ns + 9 * S)
    assert step(probed, ENDED, later_ns + 5 * S - 1).asks == (Ask.LOOK,)
    probed = replace(probed, fence_answered_ns=later_ns + 5 * S)
    assert step(probed, ENDED, later_ns + 5 * S).asks == (Ask.CLAIM,)


def test_a_fence_that_refuses_ends_the_epoch() -> None:
    burnt = after(WON, Ask.FENCE, Denied(9, "epoch 9 is over"))
    assert (burnt.epoch, burnt.burnt_epoch) == (0, 9)
    assert Ask.RELEASE in step(burnt, ENDED).asks
    assert "epoch 9 is over" in step(burnt, ENDED).reason


@pytest.mark.parametrize(("claim", "ask"), [(FENCED, Ask.TELL), (READY, Ask.RENEW), (WON, Ask.RENEW)])
def test_a_lost_lease_is_won_anew_with_a_new_call_of_the_fence(claim: Claim, ask: Ask) -> None:
    lost = after(claim, ask, Refused(OURS))
    assert (lost.epoch, lost.is_fenced, lost.is_taken) == (0, False, False)
    assert step(lost, ENDED).asks[0] is Ask.CLAIM
    again = after(lost, Ask.CLAIM, Held(12, NOW + 2 * S))
    assert step(again, ENDED).asks == (Ask.FENCE,)


@pytest.mark.parametrize(
    ("ask", "answer"), [(Ask.FENCE, Given(9)), (Ask.TELL, Noted()), (Ask.RENEW, Held(9, NOW + 9 * S))]
)
def test_an_answer_of_an_epoch_that_is_over_is_none(ask: Ask, answer: Answer) -> None:
    old = asked(ask, WON)
    later = replace(WON, epoch=12)
    assert heard(later, old, answer, NOW, LIMITS) == later


def test_silence_of_the_lease_server_changes_nothing() -> None:
    unheard = after(READY, Ask.RENEW, Unknown("no answer in time"))
    assert (unheard.epoch, unheard.is_taken, unheard.deadline_ns) == (9, True, READY.deadline_ns)
    assert unheard.ask_ns == NOW + 100 * MS


BEAT = Pulse(NOW - S // 10, 50 * S, NOW - S // 10, 0)
QUIET = Evidence(NOW, True, NOW - S // 2, None, BEAT, False, False)
HINT_NS = 3 * S // 10


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (QUIET, Begin.CALM),
        (replace(QUIET, is_ordered=True), Begin.CEDED),
        (replace(QUIET, is_handed_over=True), Begin.CEDED),
        (replace(QUIET, stream_ended_ns=NOW), Begin.ENDED),
        (replace(QUIET, pulse=replace(BEAT, heard_ns=NOW - HINT_NS)), Begin.SILENT_HOST),
        (replace(QUIET, pulse=replace(BEAT, heard_ns=NOW - HINT_NS, answered_ns=NOW - S // 10)), Begin.CALM),
        (replace(QUIET, pulse=replace(BEAT, heard_ns=NOW - HINT_NS), stream_heard_ns=NOW - S // 10), Begin.CALM),
        (replace(QUIET, pulse=replace(BEAT, heard_ns=NOW - S, listening_since_ns=NOW - S // 10)), Begin.CALM),
        (replace(QUIET, pulse=replace(BEAT, heard_ns=NOW - S, tick_ns=NOW - S)), Begin.CALM),
        (replace(QUIET, pulse=replace(BEAT, heard_ns=0)), Begin.CALM),
        (replace(QUIET, pulse=None), Begin.CALM),
        (replace(QUIET, pulse=None, stream_heard_ns=NOW - S), Begin.SILENT_STREAM),
        (replace(QUIET, stream_heard_ns=NOW - S), Begin.SILENT_STREAM),
    ],
)
def test_reasons_to_begin(evidence: Evidence, reason: Begin) -> None:
    assert begins(evidence, HINT_NS) is reason


RECORDS = st.sampled_from([OURS, ALONE, TAKEN, Record()])
EPOCHS = st.sampled_from([9, 12])
ANSWERS = {
    Ask.LOOK: st.builds(Refused, RECORDS) | st.just(Unknown("silent")),
    Ask.CLAIM: st.builds(Held, EPOCHS, st.just(0)) | st.builds(Refused, RECORDS) | st.just(Unknown("silent")),
    Ask.RENEW: st.builds(Held, EPOCHS, st.just(0)) | st.builds(Refused, RECORDS) | st.just(Unknown("silent")),
    Ask.TELL: st.just(Noted()) | st.builds(Refused, RECORDS) | st.just(Unknown("silent")),
    Ask.RELEASE: st.just(Released()) | st.just(Unknown("silent")),
    Ask.PROBE: st.just(Answers()) | st.just(Unknown("silent")),
    Ask.FENCE: st.just(Given(0)) | st.just(Denied(0, "over")) | st.just(Unknown("silent")),
}


@given(st.data())
def test_whatever_is_answered_the_guard_is_told_only_when_lease_disk_and_record_are_the_copys(
    data: st.DataObject,
) -> None:
    """An oracle of its own keeps what was answered in each epoch."""
    claim, now_ns = Claim(), NOW
    given_in: set[int] = set()
    noted_in: set[int] = set()
    until_ns: dict[int, int] = {}
    for _ in range(30):
        now_ns += data.draw(st.sampled_from([MS, 100 * MS, S, 11 * S]))
        has_ended = data.draw(st.booleans())
        sight = Sight(Begin.SILENT_HOST, is_whole=True, has_ended=has_ended, is_drained=has_ended, number=7)
        claim, told = decide(claim, now_ns, sight, LIMITS)
        if told.armed is not None:
            assert has_ended
            assert told.armed.epoch in given_in & noted_in
            assert now_ns < told.armed.deadline_ns <= until_ns[told.armed.epoch] - LIMITS.margin_ns
        for ask in told.asks:
            answer: Answer = data.draw(ANSWERS[ask])
            if isinstance(answer, Held):
                epoch = told.epoch if ask is Ask.RENEW else answer.epoch
                answer = Held(epoch, now_ns + LIMITS.ttl_ns)
                until_ns[epoch] = answer.until_ns
            elif isinstance(answer, Given | Denied):
                answer = replace(answer, epoch=told.epoch)
            if isinstance(answer, Given):
                given_in.add(told.epoch)
            elif isinstance(answer, Noted):
                noted_in.add(told.epoch)
            claim = heard(claim, Asked(ask, told.epoch, claim.has_won, has_ended), answer, now_ns, LIMITS)
