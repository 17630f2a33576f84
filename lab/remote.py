"""Hosts from outside: in, an instance and a host; out, ssh_config, what a command prints there, a clock set right."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from lab import network
from lab.errors import LabError
from lab.image.build import Images
from lab.landscape import HOSTS, MACHINES, Host, Instance

_SET_CLOCK: Final = "echo ready; read -r now; date --set=@$now >/dev/null"


def write_config(lab: Instance, images: Images) -> Path:
    """ssh_config, the key, and the one host key that all hosts show."""
    identity, known = lab.state / "identity", lab.state / "known_hosts"
    identity.unlink(missing_ok=True)
    identity.touch(mode=0o600)
    identity.write_bytes(images.identity.read_bytes())
    known.write_text(f"* {images.host_key.read_text()}")
    blocks = "".join(f"Host {host.name}\n  HostName {host.address}\n" for host in HOSTS.values())
    common = f"""Host *
  User root
  IdentityFile {identity}
  IdentitiesOnly yes
  UserKnownHostsFile {known}
  StrictHostKeyChecking yes
  HostKeyAlgorithms ssh-ed25519
  CheckHostIP no
  ConnectTimeout 30
  LogLevel ERROR
  ProxyCommand ip netns exec {lab.namespace} nc %h %p
"""
    config(lab).write_text(blocks + common)
    return config(lab)


def config(lab: Instance) -> Path:
    """Where ssh_config is."""
    return lab.state / "ssh_config"


def ssh(lab: Instance, host: Host, *words: str) -> list[str]:
    """The words that run a command on a host, or log in there."""
    return ["ssh", "-F", str(config(lab)), host.name, *words]


def run(lab: Instance, host: Host, command: str, timeout_s: float = 60) -> str:
    """What a command printed on a host. Raises LabError."""
    try:
        done = subprocess.run(
            ssh(lab, host, command),
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{host.name}: `{command}` took more than {timeout_s:g} s") from None
    if done.returncode:
        raise LabError(f"{host.name}: `{command}` failed ({done.returncode}): {done.stdout}{done.stderr}".rstrip())
    return done.stdout


def answers(lab: Instance, host: Host) -> bool:
    """Whether the host's sshd greets; costs the host next to nothing."""
    words = network.inside(lab.namespace, "nc", "-w", "2", host.address, "22")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        greeting = child.stdout.read(4)
        child.send_signal(signal.SIGKILL)
    return greeting == b"SSH-"


def set_clock(lab: Instance, host: Host) -> None:
    """Set a host's wall clock to this machine's, within about 10 ms: the connection is made first. Raises LabError."""
    with subprocess.Popen(
        ssh(lab, host, _SET_CLOCK), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        if child.stdout.readline().strip() == "ready":
            child.stdin.write(f"{time.time():.3f}\n")
            child.stdin.flush()
    if child.returncode:
        raise LabError(f"{host.name}: its clock could not be set: `python -m lab console {host.name}` shows why")


def set_clocks(lab: Instance) -> None:
    """Set the clocks of all machines at once; containers share this machine's."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: set_clock(lab, host), MACHINES))


def log_in(lab: Instance, host: Host, words: list[str]) -> None:
    """Become ssh."""
    command = ssh(lab, host, *words)
    os.execvp(command[0], command)  # noqa: S606 - a list of our own words, and no shell is wanted
