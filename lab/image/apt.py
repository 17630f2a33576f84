"""Where packages come from: in, this machine's own apt settings; out, those of the chroots that images are made in."""

import os
import re
from pathlib import Path

from lab.commands import run
from lab.errors import LabError


def sources(suite: str) -> list[str]:
    """Lines of sources.list for Debian's `suite` and its updates, from the places that this machine itself uses."""
    listed = run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    lines = {
        f"deb {site} {release} {component}"
        for site, release, component in map(str.split, listed.splitlines())
        if re.fullmatch(f"{suite}(-updates|-security)?", release) and component == "main"
    }
    mirror = os.environ.get("HEFERY_LAB_MIRROR")
    if mirror:
        lines = {f"deb {mirror} {suite} main"}
    if f"{suite} main" not in {" ".join(line.split()[2:]) for line in lines}:
        raise LabError(f"this machine's apt knows no Debian {suite}: name a mirror that has it in HEFERY_LAB_MIRROR")
    return sorted(lines)


def mirror(lines: list[str], suite: str) -> str:
    """The one of `lines` that has the release itself."""
    return next(line.split()[1] for line in lines if line.split()[2] == suite)


def configure(root: Path, lines: list[str]) -> None:
    """Give a root those sources, and how this machine reaches them (proxies, certificates, dates)."""
    (root / "etc/apt/sources.list").write_text("".join(f"{line}\n" for line in lines))
    acquire = [line for line in run("apt-config", "dump").splitlines() if line.startswith("Acquire::")]
    kept = [line for line in acquire if not line.startswith("Acquire::IndexTargets")]
    (root / "etc/apt/apt.conf.d/90lab").write_text("\n".join(kept) + "\n")
    for name in ("etc/resolv.conf", "etc/hosts"):
        (root / name).write_bytes(Path("/", name).read_bytes())
