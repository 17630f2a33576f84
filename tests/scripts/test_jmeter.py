"""scripts/jmeter keeps what it was meant to get, and nothing else; Maven and Debian are stand-ins here."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.ansible.rendering import ROOT

JARS = [f"ApacheJMeter{part}-5.6.3.jar" for part in ("", "_config", "_http")] + ["commons.jar"]
MAVEN = """#!/bin/sh
echo "$@" >{0}/asked
for word; do case $word in -DoutputDirectory=*) cp {0}/jars/* "${{word#*=}}/" ;; esac; done
"""
DEBIAN = """#!/bin/sh
case $0 in */apt-get) touch openjdk-17-jre-headless_17.deb ;;
*) mkdir -p "$3/usr/lib/jvm/java-17-openjdk-amd64/bin" ;; esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with this script and a list of these jars, and what the registries have."""
    for name in ("jars", "scripts", "bin"):
        (tmp_path / name).mkdir()
    for name in ("jmeter", "jmeter.pom.xml"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    for name in JARS:
        with zipfile.ZipFile(tmp_path / "jars" / name, "w") as jar:
            jar.writestr("bin/jmeter.properties", "")
            jar.writestr("bin/report-template/index.html", "")
    digests = {name: hashlib.sha256((tmp_path / "jars" / name).read_bytes()).hexdigest() for name in JARS}
    listed = "".join(f"{digests[name]}  {name}\n" for name in sorted(JARS))
    (tmp_path / "scripts" / "jmeter.sha256").write_text(listed)
    for name, text in {"mvn": MAVEN.format(tmp_path), "apt-get": DEBIAN, "dpkg-deb": DEBIAN}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def run(clone: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": f"{clone}/bin:{os.environ['PATH']}", "HEFERY_CACHE": str(clone / "cache")}
    script = [str(clone / "scripts" / "jmeter")]
    return subprocess.run(script, env=environment, capture_output=True, text=True, check=False)


def test_what_is_listed_is_packed(clone: Path) -> None:
    ran = run(clone)
    assert ran.returncode == 0, ran.stderr
    assert "--strict-checksums" in (clone / "asked").read_text().split()
    listed = subprocess.run(
        ["tar", "-tzf", str(clone / "build" / "jmeter" / "jmeter.tar.gz")], capture_output=True, text=True, check=True
    )
    assert {"jmeter/bin/ApacheJMeter.jar", "jmeter/lib/commons.jar"} <= set(listed.stdout.splitlines())


@pytest.mark.parametrize("name", ["commons.jar", "another.jar"])
def test_a_jar_that_is_another_or_not_listed_is_refused(name: str, clone: Path) -> None:
    (clone / "jars" / name).write_bytes(b"not as it was")
    ran = run(clone)
    assert ran.returncode == 1
    assert name in ran.stderr
    assert ran.stderr.endswith("jmeter: what Maven has got (>) is not what scripts/jmeter.sha256 lists (<)\n")
    assert not (clone / "build").exists()
    assert list((clone / "cache").iterdir()) == []


def test_a_jar_that_is_missing_is_refused(clone: Path) -> None:
    (clone / "jars" / "commons.jar").unlink()
    assert run(clone).returncode == 1
