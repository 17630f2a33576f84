"""Calls to a peer's receiver: in, a domain and a verb; out, a conversation, by TCP or through ssh."""

import socket
import subprocess
from typing import Final

from failover import tcp
from failover.errors import FailoverError
from failover.settings import DomainSettings, PeerSettings, RemusSettings
from failover.wire import Message, Session, WireError, read_key

_ANSWER_LIMIT_S: Final = 60.0
"""The receiver has to be started, which takes a slow host some seconds, and to end what a dead one left behind."""
_SSH: Final = (
    *("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
    *("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=4", "-o", "StrictHostKeyChecking=yes"),
)


class Unreachable(FailoverError):
    """The peer's receiver cannot be asked."""


class Refused(FailoverError):
    """The peer has said no, and why."""


def call(settings: RemusSettings, domain: DomainSettings, verb: str) -> tuple[Session, Message]:
    """A conversation and the peer's first answer, a yes; raises Unreachable or Refused."""
    peer = settings.peer_of(domain)
    try:
        session = Session(_connect(settings, domain, peer), read_key(settings.heartbeat.key_file), is_caller=True)
        message = {"verb": verb, "domain": domain.name, "host": settings.host.name}
        answer = session.call(message, _ANSWER_LIMIT_S)
    except (OSError, WireError) as error:
        raise Unreachable(f"{peer.name} ({peer.address}) cannot be asked: {error}") from error
    return session, accepted(answer, peer.name)


def accepted(answer: Message, peer: str) -> Message:
    """The answer where it is a yes; raises Refused."""
    if answer.get("ok") is not True:
        raise Refused(f"{peer}: {answer.get('error')}")
    return answer


def _connect(settings: RemusSettings, domain: DomainSettings, peer: PeerSettings) -> socket.socket:
    if domain.transport == "ssh":
        return _through_ssh(domain, peer)
    stall_s = settings.receiver.stall_timeout_s
    connection = socket.create_connection((peer.address, settings.receiver.port), stall_s)
    tcp.watch(connection, stall_s)
    return connection


def _through_ssh(domain: DomainSettings, peer: PeerSettings) -> socket.socket:
    """The key's forced command on the peer is `hefery-remus connect`."""
    ours, theirs = socket.socketpair()
    key = () if domain.ssh_key is None else ("-i", str(domain.ssh_key))
    known = ("-o", f"UserKnownHostsFile={domain.ssh_known_hosts}")
    command = (*_SSH, *known, *key, f"{domain.ssh_user}@{peer.address}")
    with theirs:
        # it ends with its connection, as this process does
        subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno()).returncode = 0
    return ours
