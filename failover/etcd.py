"""What etcd holds: in, keys and conditions; out, pairs as a majority of its members has them, or EtcdError.

Nothing here rests on etcd's own leases: a leader of 3.4.23 that was frozen and goes on has the leases that it takes for
expired revoked by its successor (etcd issue 15247), up to their whole time to live too early.
"""

import time
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from failover import endpoint
from failover.endpoint import Endpoint, EtcdError, EtcdRefused
from failover.lease_settings import LeaseSettings
from failover.wire import read_key
from telemetry.units import NS_PER_S

_TOKEN_REFUSED: Final = frozenset({400, 401})
"""Also where a token is missing, or older than a change of users."""
_MOST_DIGITS: Final = 20


@dataclass(frozen=True)
class Pair:
    """A key's value, and the revision that wrote it: revisions only grow, over all keys."""

    value: bytes
    revision: int


Pairs = Mapping[str, Pair]


@dataclass(frozen=True)
class Condition:
    """What must be true of a key for a write; one that is not there has revision 0."""

    key: str
    result: Literal["EQUAL", "GREATER"]
    revision: int


@dataclass(frozen=True)
class Written:
    """The revision of a write."""

    revision: int


class Etcd:
    """One cluster; it asks its endpoints in turn, first the one that answered last. Only one thread may use it."""

    def __init__(self, settings: LeaseSettings) -> None:
        """Raises FailoverError where the files that it names cannot be used."""
        context = endpoint.tls(str(settings.ca_file)) if settings.is_encrypted else None
        self._endpoints = [Endpoint(url, context) for url in settings.endpoints]
        self._settings = settings
        self._password = read_key(settings.password_file).decode() if settings.user else ""
        self._token = ""
        self._revision = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        for at in self._endpoints:
            at.close()

    def read(self, prefix: str) -> Pairs:
        """All pairs whose keys begin so, without it; linearizable. Raises EtcdError."""
        return _pairs(self._ask("kv/range", _range(prefix)), prefix)

    def write(
        self, prefix: str, conditions: Sequence[Condition], puts: Mapping[str, str], deletes: Sequence[str] = ()
    ) -> Written | Pairs:
        """One transaction: put and delete where all conditions hold, and else all pairs below `prefix`.

        It may have been done although EtcdError is raised, or be done later. It is tried again at other endpoints, so a
        condition must fail once it was done, unless it does no harm where it is done again, later.
        """
        message = {
            "compare": [_compare(prefix, condition) for condition in conditions],
            "success": [
                *({"requestPut": {"key": _coded(prefix + key), "value": _coded(puts[key])}} for key in puts),
                *({"requestDeleteRange": {"key": _coded(prefix + key)}} for key in deletes),
            ],
            "failure": [{"requestRange": _range(prefix)}],
        }
        answer = self._ask("kv/txn", message)
        if answer.get("succeeded") is True:
            return Written(_whole(_table(answer, "header"), "revision"))
        first = next(iter(_tables(answer, "responses")), {})
        return _pairs(_table(first, "response_range"), prefix)

    def _ask(self, path: str, message: Mapping[str, object]) -> Mapping[str, Any]:
        """The first good answer; each endpoint has an equal part of the time that is left."""
        end_ns = time.monotonic_ns() + int(self._settings.call_timeout_s * NS_PER_S)
        problems = []
        for position, at in enumerate(list(self._endpoints)):
            now_ns = time.monotonic_ns()
            part_ns = (end_ns - now_ns) // (len(self._endpoints) - position)
            try:
                answer = self._ask_one(at, path, message, now_ns + part_ns)
            except EtcdError as error:
                problems.append(str(error))
            else:
                self._endpoints.sort(key=lambda other: other is not at)
                return answer
        raise EtcdError("; ".join(problems))

    def _ask_one(self, at: Endpoint, path: str, message: Mapping[str, object], deadline_ns: int) -> Mapping[str, Any]:
        if self._settings.user and not self._token:
            self._authenticate(at, deadline_ns)
        try:
            return self._checked(at, at.post(f"/v3/{path}", message, self._token, deadline_ns))
        except EtcdRefused as refused:
            if not self._token or refused.status not in _TOKEN_REFUSED:
                raise
        self._authenticate(at, deadline_ns)
        return self._checked(at, at.post(f"/v3/{path}", message, self._token, deadline_ns))

    def _authenticate(self, at: Endpoint, deadline_ns: int) -> None:
        self._token = ""
        message = {"name": self._settings.user, "password": self._password}
        token = self._checked(at, at.post("/v3/auth/authenticate", message, "", deadline_ns)).get("token")
        if not isinstance(token, str) or not token:
            raise EtcdError(f"{at.url}: gave no token")
        self._token = token

    def _checked(self, at: Endpoint, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer where it is of the cluster that is meant, and no older than the one before."""
        header = _table(answer, "header")
        cluster = f"{_whole(header, 'cluster_id'):x}"
        if cluster != self._settings.cluster_id:
            raise EtcdError(f"{at.url}: is of cluster {cluster}, lease.cluster_id is {self._settings.cluster_id}")
        revision = _whole(header, "revision")
        if revision < self._revision:
            raise EtcdError(f"{at.url}: has gone back from revision {self._revision} to {revision}: was it restored?")
        self._revision = revision
        return answer


def _compare(prefix: str, condition: Condition) -> Mapping[str, object]:
    return {
        "key": _coded(prefix + condition.key),
        "target": "MOD",
        "result": condition.result,
        "modRevision": str(condition.revision),
    }


def _range(prefix: str) -> Mapping[str, str]:
    """All keys that begin with it: up to the next that does not."""
    return {"key": _coded(prefix), "rangeEnd": _coded(prefix[:-1] + chr(ord(prefix[-1]) + 1))}


def _coded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _decoded(text: str) -> bytes:
    return b64decode(text, validate=True)


def _pairs(answer: Mapping[str, Any], prefix: str) -> Pairs:
    pairs = {}
    for table in _tables(answer, "kvs"):
        try:
            key, value = _decoded(table["key"]).decode(), _decoded(table.get("value", ""))
        except (KeyError, TypeError, ValueError) as error:
            raise EtcdError(f"not a pair of etcd's: {table!r:.200}") from error
        pairs[key.removeprefix(prefix)] = Pair(value, _whole(table, "mod_revision"))
    return pairs


def _table(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = answer.get(key)
    if not isinstance(found, dict):
        raise EtcdError(f"not an answer of etcd's: {key} is {found!r:.200}")
    return found


def _tables(answer: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """A list that is left out where it is empty."""
    found = answer.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise EtcdError(f"not an answer of etcd's: {key} is {found!r:.200}")
    return found


def _whole(answer: Mapping[str, Any], key: str) -> int:
    """A number as the gateway writes those of 64 bits: as text."""
    found = answer.get(key)
    if not isinstance(found, str) or not found.isdecimal() or len(found) > _MOST_DIGITS:
        raise EtcdError(f"not an answer of etcd's: {key} is {found!r:.200}")
    return int(found)
