"""Evidence of a drill tells how long the guest was away, and whether it went on where it was."""

from tests.ansible.acts import FAILED_OVER, PROTECTED, plan
from tests.ansible.plugins import load

EVIDENCE = load("act/filter_plugins/act_evidence.py")


def test_evidence_tells_whose_history_went_on() -> None:
    watched = {"answers": 90, "without_answer_s": 3.9, "before": {"boot": "AB"}, "after": {"boot": "AB"}}
    handed = {"start": "2026-01-01 00:00:00.0", "delta": "0:01:02.5", "stdout": '{"steps_s": {"destroyed": 1.5}}'}
    made = plan("drill", **PROTECTED)
    evidence = EVIDENCE.act_evidence(made, watched, handed, FAILED_OVER)
    assert evidence["steps_s"] == {"destroyed": 1.5}
    assert (evidence["same_history"], evidence["hand_over_s"], evidence["lives_on"]) == (True, 62.5, ["b"])
    for changes, is_same in (
        ({"after": {"boot": "CD"}}, False),
        ({"after": {}}, False),
        ({"before": None, "after": None}, False),
        ({"after": None}, False),
        ({"before": {}, "after": {}}, None),
    ):
        told = EVIDENCE.act_evidence(made, {**watched, **changes}, handed, FAILED_OVER)
        assert told["same_history"] is is_same
