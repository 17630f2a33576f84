"""A pair of hosts with a lease: on b all that is real, or stands in; on a the test is the guard."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from failover import caller
from failover.clock import now_ns
from failover.config import load
from failover.etcd import Etcd
from failover.lease import Held, Lease, Noted, Released
from failover.lease_record import Record
from tests.etcd import Member, patient, settings_for
from tests.failover.fake_xenctrl import FakeXen
from tests.failover.hosts import Pair
from tests.waiting import wait_for

FENCE_LIMIT_S = 1.0
INCOMING_NUMBER = 1
"""What the stand-in for xl lists the only domain of its host under."""
FENCE = """#!/bin/bash
cd "${0%/*}" || exit 1
echo "$1 ${*:2}" >>asked
[ -e "$1-silent" ] && exec sleep 300
[ "$1" = show ] && echo '{"answer": "done", "guest": "'$2'", "host": null, "epoch": null}' && exit 0
[ -e refuses ] && echo '{"answer": "refused", "reason": "epoch '$4' is over"}' && exit 3
echo '{"answer": "done", "guest": "'$2'", "host": "'$3'", "epoch": '$4'}'
"""


class Guest:
    """Host a's: it runs until the deadline that its guard, this thread, has last got by a renewal."""

    def __init__(self, lease: Lease, ttl_s: float, pause_share: float) -> None:
        self._lease, self._period_s, self._pause_s = lease, ttl_s / 5, ttl_s * pause_share
        self._margin_ns = int(ttl_s * (1 - pause_share) * 1e9)
        won = lease.acquire()
        assert isinstance(won, Held), won
        self.epoch, self.deadline_ns = won.epoch, won.until_ns - self._margin_ns
        self._lock, self._end = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._renew)
        self.tell("")
        self._thread.start()

    def tell(self, backup: str) -> None:
        """Of the mark of the copy that may take over."""
        with self._lock:
            assert isinstance(self._lease.note(self.epoch, backup), Noted)

    def stop(self) -> None:
        """Its guard renews no more."""
        self._end.set()
        self._thread.join()

    def hand_over(self) -> None:
        """It stands still, and the lease is given back."""
        self.stop()
        self.deadline_ns = now_ns()
        assert isinstance(self._lease.release(self.epoch), Released)

    def regain(self) -> None:
        """Its guard claims, once the lease is free, and tells that nobody may take over."""
        while not isinstance(won := self._lease.acquire(), Held):
            self._end.wait(self._period_s)
        self.epoch = won.epoch
        self.tell("")

    def _renew(self) -> None:
        while not self._end.wait(self._period_s):
            with self._lock:
                held = self._lease.renew(self.epoch)
            if isinstance(held, Held):
                self.deadline_ns = held.until_ns - self._margin_ns


class LeasePair(Pair):
    """Host a has no lease in its file; what its guard would do, `guest` does."""

    def __init__(self, folder: Path, library: Path, members: list[Member], stack: ExitStack, ttl_s: float) -> None:
        super().__init__(folder)
        stack.callback(self.end)
        at = settings_for(members, ttl_s=ttl_s, renew_s=ttl_s / 4, call_timeout_s=ttl_s / 6)
        self.fence = folder / "fence"
        self.fence.mkdir()
        (self.fence / "fence").write_text(FENCE)
        (self.fence / "fence").chmod(0o755)
        with self.b.config.open("a") as config:
            config.write(
                f'[lease]\nendpoints = ["{members[0].url}"]\ncluster_id = "{at.cluster_id}"\n'
                f"ttl_s = {ttl_s}\nrenew_s = {at.renew_s}\ncall_timeout_s = {at.call_timeout_s}\n"
                f'[fence]\ncommand = ["{self.fence / "fence"}"]\nlimit_s = {FENCE_LIMIT_S}\n'
            )
        self.xen = FakeXen(_made(folder / "xen"), library, self.domain)
        stack.callback(self.xen.close)
        self.b.environment |= {name: self.xen.environment[name] for name in ("LD_LIBRARY_PATH", "FAKE_XENCTRL")}
        leases = [Lease(stack.enter_context(Etcd(patient(members))), self.domain, "a", ttl_s) for _ in range(2)]
        self._watching = leases[1]
        self.guest = Guest(leases[0], ttl_s, at.pause_share)
        stack.callback(self.guest.stop)
        self.minder = self.start_of_b("minder")
        self.guard = self.start_of_b("guard")

    def start_of_b(self, verb: str) -> Any:
        return self.b.start(*self.b.words(verb, "--domain", self.domain))

    def receive(self, *, is_backup: bool = True, **more: str) -> Any:
        """Replicate, and have the record tell of the copy once it is whole."""
        remus = self.a.replicate(**more)
        self.await_domain()
        wait_for(lambda: self.phase() == "protected")
        if is_backup:
            self.guest.tell(self.mark())
        return remus

    def await_domain(self) -> None:
        """Until Xen has the copy, paused by xl."""
        wait_for(lambda: f"{self.domain}--incoming" in self.b.domains())
        self.xen.create(pauses=1)
        self.xen.sets(number=INCOMING_NUMBER)

    def ask_b(self, verb: str) -> dict[str, object]:
        """As host a would."""
        settings = load(self.a.config)
        session, answer = caller.call(settings, settings.domains[0], verb)
        session.connection.close()
        return dict(answer)

    def waits_for(self) -> str:
        """Why the copy does not run."""
        return str(self.ask_b("status")["waits_for"])

    def record(self) -> Record:
        record = self._watching.look()
        assert isinstance(record, Record)
        return record

    def asked(self, verb: str) -> list[str]:
        """The words of each call of the fence."""
        path = self.fence / "asked"
        return [line for line in path.read_text().splitlines() if line.startswith(verb)] if path.exists() else []

    def runs_at_b(self) -> bool:
        """By what the guest has written down itself."""
        return bool(self.xen.ran())

    def fate(self, what: str) -> Path:
        """A file that makes the fence silent (`show-silent`, `give-silent`) or refuse (`refuses`)."""
        path = self.fence / what
        path.touch()
        return path


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
