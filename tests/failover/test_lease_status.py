"""What host, lease, record, guard and fence say of a guest, against each other."""

from dataclasses import replace

import pytest

from failover.fence_command import Owner
from failover.guard_store import Told
from failover.lease import Unknown
from failover.lease_show import Shown
from failover.lease_status import Seen, problems

SHOWN = Shown("web1", "a", 42, is_held=True, is_renewed=True, runner="a", backup="copy")
TOLD = Told("web1", 7, 42, is_paused=False, reason="the lease is held", backup="copy")
HERE = Seen("a", is_here=True, is_replicating=True, shown=SHOWN, told=TOLD, owner=Owner("a", 42))
THERE = replace(HERE, host="b", is_here=False, is_replicating=False, told=replace(TOLD, number=0, epoch=0, backup=None))
NOWHERE = Seen(
    "a", is_here=False, is_replicating=False, shown=Shown("web1", "", 0, is_held=False), told=TOLD, owner=None
)


@pytest.mark.parametrize("seen", [HERE, replace(HERE, owner=None), THERE, NOWHERE])
def test_all_agree(seen: Seen) -> None:
    assert list(problems(seen)) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(HERE, shown=Shown("web1", problem="no answer in time")), "does not tell: no answer in time"),
        (replace(HERE, shown=replace(SHOWN, holder="b"), owner=None), "it is here, and its lease is held by b"),
        (replace(HERE, shown=replace(SHOWN, is_held=False), owner=None), "it is here, and its lease is free"),
        (replace(HERE, shown=replace(SHOWN, runner="b")), "the record says that it is b's"),
        (replace(HERE, is_here=False), "it is not here, and the record says that it is"),
        (replace(THERE, shown=replace(SHOWN, is_renewed=False)), "a does not renew its lease"),
        (replace(HERE, is_replicating=False), "the record tells of a backup, and nothing is replicated"),
        (replace(HERE, told=None), "its guard here is not awake"),
        (replace(HERE, told=replace(TOLD, is_paused=True, reason="no answer")), "its guard has paused it: no answer"),
        (replace(HERE, owner=Unknown("ssh: no route")), "the fence does not answer: ssh: no route"),
        (replace(HERE, owner=Owner("b", 42)), "its disk is b's, epoch 42, its lease a's, epoch 42"),
        (replace(HERE, owner=Owner("a", 41)), "its disk is a's, epoch 41, its lease a's, epoch 42"),
        (replace(HERE, owner=Owner("", 0)), "its disk is nobody's, its lease a's, epoch 42"),
    ],
)
def test_each_disagreement_is_named(seen: Seen, said: str) -> None:
    (only,) = problems(seen)
    assert said in only
