"""A pair of hosts with a lease and a fence, guards and minders on both; all is real but Xen, xl and the fence."""

import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from failover import guard_store
from failover.clock import now_ns
from failover.etcd import Etcd
from failover.guard_store import Told
from failover.lease import Lease
from failover.lease_record import Record
from telemetry.units import NS_PER_MS
from tests.etcd import Member, patient, settings_for
from tests.failover import fake_libxl
from tests.failover.fake_xenctrl import FakeXen
from tests.failover.hosts import ROOT, Host, Pair
from tests.waiting import wait_for

NUMBER = 1
"""What the stand-in for xl lists the only domain of a host under."""
FENCE_LIMIT_S = 1.0
FENCE = """#!/bin/bash
cd "${0%/*}" && [ ! -e silent ] || exit 1
echo "$*" >>asked
while [ -e slow ]; do sleep 0.02; done
read -r epoch owner <owner
[ "$1" = show ] && echo '{"answer": "done", "host": "'$owner'", "epoch": '$epoch'}' && exit 0
[ -e "deaf-to-$3" ] && exit 1
(($4 < epoch)) && echo '{"answer": "refused", "reason": "epoch '$4' is over"}' && exit 3
echo "$4 $3" >owner
echo '{"answer": "done"}'
"""


class GuardedPair(Pair):
    """The guest runs on a, if it `is_there`; the hosts in `guarded` have guards."""

    def __init__(
        self,
        folder: Path,
        library: Path,
        members: list[Member],
        stack: ExitStack,
        ttl_s: float,
        *,
        is_there: bool,
        guarded: str,
    ) -> None:
        super().__init__(folder)
        stack.callback(self.end)
        self._library, self._members, self._stack, self._ttl_s = library, members, stack, ttl_s
        self.fence = _made(folder / "fence")
        (self.fence / "owner").write_text("0\n")
        (self.fence / "fence").write_text(FENCE)
        (self.fence / "fence").chmod(0o755)
        self.xen: dict[str, FakeXen] = {}
        self.guards: dict[tuple[str, str], subprocess.Popen[bytes]] = {}
        for host in (self.a, self.b):
            self._configure(host)
        xl = shlex.join([sys.executable, str(ROOT / "tests/failover/guarded_xl.py")])
        (self.a.folder / "bin" / "xl").write_text(f'#!/bin/bash\nexec {xl} "$@"\n')
        etcd = stack.enter_context(Etcd(patient(members)))
        self.lease = Lease(etcd, self.domain, "watcher", ttl_s)
        (self.a.folder / "domains").write_text(f"{self.domain} -b----\n" if is_there else "")
        if is_there:
            self.xen["a"].create()
            self.xen["a"].sets(number=NUMBER)
        hosts = [host for host in (self.a, self.b) if host.name in guarded]
        for host in hosts:
            for verb in ("minder", "guard"):
                self.begin(host, verb)
        if is_there:
            wait_for(lambda: self.told(self.a).epoch and self.runs_at_a())
        else:
            wait_for(lambda: all(guard_store.current(host.run_dir, self.domain) for host in hosts))

    def begin(self, host: Host, verb: str) -> None:
        self.guards[host.name, verb] = host.start(*host.words(verb, "--domain", self.domain))

    def kill(self, host: Host, verb: str) -> None:
        process = self.guards[host.name, verb]
        process.kill()
        process.wait()

    def told(self, host: Host) -> Told:
        """What its guard has said last."""
        told = guard_store.read(host.run_dir, self.domain)
        return told or Told(self.domain, 0, 0, is_paused=False, reason="")

    def record(self) -> Record:
        record = self.lease.look()
        assert isinstance(record, Record)
        return record

    def runs_at_a(self) -> bool:
        ran = self.xen["a"].ran()
        return bool(ran) and now_ns() - ran[-1] < 100 * NS_PER_MS

    def named(self) -> Any:
        """xl remus, once the record names its copy."""
        remus = self.replicate()
        wait_for(lambda: self.record().backup not in {""})
        return remus

    def replicate(self, **more: str) -> Any:
        """xl remus, once its copy is there, paused in Xen as xl leaves it."""
        remus = self.a.replicate(**more)
        wait_for(lambda: f"{self.domain}--incoming" in self.b.domains())
        self.xen["b"].create(pauses=1)
        self.xen["b"].sets(number=NUMBER)
        return remus

    def owner(self) -> str:
        """Of the disk."""
        return (self.fence / "owner").read_text().split()[-1]

    def status(self, host: Host) -> tuple[int, Mapping[str, Any]]:
        code, seen = host.does("status", "--json")
        (lease,) = seen["leases"]
        return code, {**lease, "protected": seen["domains"][0]["protected"]}

    def _configure(self, host: Host) -> None:
        at = settings_for(self._members)
        with host.config.open("a") as config:
            config.write(
                f'[lease]\nendpoints = ["{self._members[0].url}"]\ncluster_id = "{at.cluster_id}"\n'
                f"ttl_s = {self._ttl_s}\nrenew_s = {self._ttl_s / 4}\ncall_timeout_s = {self._ttl_s / 6}\n"
                f'[fence]\ncommand = ["{self.fence / "fence"}"]\nlimit_s = {FENCE_LIMIT_S}\n'
            )
        xen = FakeXen(_made(host.folder / "xen"), self._library, self.domain)
        self._stack.callback(xen.close)
        self.xen[host.name] = xen
        keys = ("LD_LIBRARY_PATH", "FAKE_XENCTRL")
        host.environment |= {name: xen.environment[name] for name in keys} | {"FAKE_NAME": self.domain}
        libxl = fake_libxl.build(_made(host.folder / "libxl"))
        host.environment |= {"TOLD": libxl["TOLD"]}
        host.environment["LD_LIBRARY_PATH"] += f":{libxl['LD_LIBRARY_PATH']}"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
