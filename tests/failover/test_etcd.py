"""The client of etcd: whom it believes, whom it asks next, and that it is never late."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from failover.endpoint import Endpoint, EtcdError, TcpSocket
from failover.errors import FailoverError
from failover.etcd import Condition, Etcd, Pair, Written
from failover.lease_settings import LeaseSettings
from telemetry.units import NS_PER_S
from tests.certificates import make_tls
from tests.etcd import Member, coded, running_etcd, settings_for

WEB1, WEB10 = "/hefery/guest/web1/", "/hefery/guest/web10/"
LIMIT_S = 0.3
CLUSTER = "c1"
HEADER = {"cluster_id": str(int(CLUSTER, 16)), "revision": "7"}


@contextmanager
def speaking(*answers: bytes, spaced_s: float = 0.0) -> Iterator[str]:
    """A server that says these, one for each request, byte by byte where spaced; its address."""

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                read_request(connection)
                for part in [answer[at : at + 1] for at in range(len(answer))] if spaced_s else [answer]:
                    try:
                        connection.sendall(part)
                    except OSError:
                        break
                    time.sleep(spaced_s)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def read_request(connection: socket.socket) -> None:
    with connection.makefile("rb") as request:
        headers = list(iter(request.readline, b"\r\n"))
        length = next(line for line in headers if line.lower().startswith(b"content-length:"))
        request.read(int(length.split(b":")[1]))


def http(content: object, status: str = "200 OK") -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "."),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "not an answer of etcd's: BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "not an answer of etcd's: 200 b'{'"),
        (http(b"<html>log in first</html>"), "not an answer of etcd's: 200 b'<html>"),
        (http([1]), r"not an answer of etcd's: 200 b'\[1\]'"),
        (http(b'{"header": NaN}'), "header is nan"),
        (http(b"[" * 50_000), "not an answer of etcd's: 200"),
        (http({}), "header is None"),
        (http({"header": {**HEADER, "revision": "9" * 5000}}), "revision is '999"),
        (http({"header": {**HEADER, "revision": 7}}), "revision is 7"),
        (http({"header": {**HEADER, "revision": "-7"}}), "revision is '-7'"),
        (http({"header": HEADER | {"cluster_id": "9"}}), "is of cluster 9, lease.cluster_id is c1"),
        (http({"header": HEADER, "kvs": "x"}), "kvs is 'x'"),
        (http({"header": HEADER, "kvs": [{"key": "?", "mod_revision": "1"}]}), "not a pair of etcd's"),
        (http({"header": HEADER, "kvs": [{"key": coded("/k/owner")}]}), "mod_revision is None"),
        (http(b" " * 100_000), "it has more than 65536 bytes"),
        (http({"message": "etcdserver: no leader"}, "503 Service Unavailable"), "etcdserver: no leader"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nonsense_is_not_believed(answer: bytes, reason: str) -> None:
    with (
        speaking(answer) as url,
        Etcd(LeaseSettings((url,), CLUSTER)) as etcd,
        pytest.raises(EtcdError, match=reason),
    ):
        etcd.read("/k/")


def test_an_answer_that_dribbles_in_is_late() -> None:
    answer = http({"header": HEADER})
    late = LIMIT_S + 0.5
    with speaking(answer, spaced_s=2 * late / len(answer)) as url:
        begun_s = time.monotonic()
        with (
            Etcd(LeaseSettings((url,), CLUSTER, call_timeout_s=LIMIT_S)) as etcd,
            pytest.raises(EtcdError, match="no answer in time"),
        ):
            etcd.read("/k/")
        assert time.monotonic() - begun_s < late
    with speaking(answer) as url, Etcd(LeaseSettings((url,), CLUSTER)) as etcd:
        assert etcd.read("/k/") == {}


def test_a_revision_that_falls_is_not_believed() -> None:
    older = {"header": {**HEADER, "revision": "6"}}
    with speaking(http({"header": HEADER}), http(older)) as url, Etcd(LeaseSettings((url,), CLUSTER)) as etcd:
        etcd.read("/k/")
        with pytest.raises(EtcdError, match="has gone back from revision 7 to 6"):
            etcd.read("/k/")


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    with running_etcd(tmp_path_factory.mktemp("etcd")) as (only,):
        yield only


def test_what_is_written_is_read(member: Member) -> None:
    with Etcd(settings_for([member])) as etcd:
        first = etcd.write("/read/", [Condition("a", "EQUAL", 0)], {"a": "x\n", "b": ""})
        assert isinstance(first, Written)
        pairs = {"a": Pair(b"x\n", first.revision), "b": Pair(b"", first.revision)}
        assert etcd.read("/read/") == pairs
        assert etcd.write("/read/", [Condition("a", "GREATER", first.revision)], {"a": ""}) == pairs
        assert isinstance(etcd.write("/read/", [Condition("a", "EQUAL", first.revision)], {}, ["a"]), Written)
        assert etcd.read("/read/") == {"b": pairs["b"]}


def test_a_question_is_sent_at_once(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sending is a packet, and a wake-up of the server."""
    sent: list[bytes] = []

    def sendall(self: TcpSocket, data: bytes) -> None:
        sent.append(data)
        socket.socket.sendall(self, data)

    monkeypatch.setattr(TcpSocket, "sendall", sendall, raising=False)
    with Etcd(settings_for([member])) as etcd:
        etcd.read(WEB1)
        etcd.read(WEB1)
    assert len(sent) == 2


@pytest.mark.parametrize("token", ["a\r\nHost: other", "\u00e4\u2028"])
def test_a_token_that_is_no_header_is_not_sent(token: str) -> None:
    with pytest.raises(EtcdError, match="gave a token that cannot be sent"):
        Endpoint("http://127.0.0.1:1", None).post("/v3/kv/range", {}, token, time.monotonic_ns() + NS_PER_S)


@pytest.mark.parametrize("is_silent", [False, True])
def test_the_next_endpoint_is_asked_and_then_the_first_to_be(member: Member, *, is_silent: bool) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if is_silent:
            other.listen()
        dead = f"http://127.0.0.1:{other.getsockname()[1]}"
        cluster = settings_for([member]).cluster_id
        with Etcd(LeaseSettings((dead, member.url), cluster, call_timeout_s=0.5)) as etcd:
            etcd.read("/k/")
            begun_s = time.monotonic()
            for _ in range(10):
                etcd.read("/k/")
            assert time.monotonic() - begun_s < 10 * 0.25


def test_all_endpoints_reasons_are_told() -> None:
    with (
        speaking(http({})) as one,
        speaking(http([])) as two,
        Etcd(LeaseSettings((one, two), CLUSTER)) as etcd,
        pytest.raises(EtcdError) as caught,
    ):
        etcd.read("/k/")
    assert f"{two}: not an answer" in str(caught.value)
    assert "; " in str(caught.value)


def test_a_restarted_server_is_found_again(tmp_path: Path) -> None:
    with running_etcd(tmp_path) as (only,), Etcd(settings_for([only])) as etcd:
        etcd.write("/k/", [], {"a": "1"})
        only.kill()
        with pytest.raises(EtcdError, match=r"refused|closed|reset|time"):
            etcd.read("/k/")
        only.start([only])
        deadline_s = time.monotonic() + 20
        while True:
            try:
                assert etcd.read("/k/")["a"].value == b"1"
                break
            except EtcdError:
                assert time.monotonic() < deadline_s


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    """An etcd with TLS that lets user a touch web1, and b web10."""
    folder = tmp_path_factory.mktemp("guarded")
    with running_etcd(folder, tls=make_tls(folder)) as (only,):
        only.call("auth/user/add", {"name": "root", "password": "root-password-of-a-test"})
        only.call("auth/role/add", {"name": "root"})
        only.call("auth/user/grant", {"user": "root", "role": "root"})
        for name, prefix in (("a", WEB1), ("b", WEB10)):
            permission = {"permType": "READWRITE", "key": coded(prefix), "range_end": coded(prefix[:-1] + "0")}
            only.call("auth/user/add", {"name": name, "password": f"{name}-password-of-a-test"})
            only.call("auth/role/add", {"name": name})
            only.call("auth/role/grant", {"name": name, "perm": permission})
            only.call("auth/user/grant", {"user": name, "role": name})
        only.call("auth/enable", {})
        yield only


def settings_of(guarded: Member, user: str, folder: Path, password: str = "") -> LeaseSettings:
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password or f"{user}-password-of-a-test\n")
    assert guarded.tls is not None
    return settings_for([guarded], user=user, password_file=password_file, ca_file=guarded.tls.authority)


def test_a_user_may_touch_its_guests_alone(guarded: Member, tmp_path: Path) -> None:
    with Etcd(settings_of(guarded, "a", tmp_path)) as etcd:
        assert isinstance(etcd.write(WEB1, [], {"owner": "a"}), Written)
        assert etcd.read(WEB1)["owner"].value == b"a"
        with pytest.raises(EtcdError, match="permission denied"):
            etcd.read(WEB10)
        with pytest.raises(EtcdError, match="permission denied"):
            etcd.write(WEB10, [], {"owner": "a"})
        with pytest.raises(EtcdError, match="permission denied"):
            etcd.read("/hefery/")


def test_a_wrong_password_opens_nothing(guarded: Member, tmp_path: Path) -> None:
    settings = settings_of(guarded, "a", tmp_path, "another-password\n")
    with Etcd(settings) as etcd, pytest.raises(EtcdError, match="authentication failed, invalid user ID or password"):
        etcd.read(WEB1)


def test_none_opens_nothing_either(guarded: Member, tmp_path: Path) -> None:
    settings = settings_of(guarded, "a", tmp_path)
    with Etcd(replace(settings, user="")) as etcd, pytest.raises(EtcdError, match="user name is empty"):
        etcd.read(WEB1)


def test_a_token_that_is_lost_is_asked_for_again(guarded: Member, tmp_path: Path) -> None:
    with Etcd(settings_of(guarded, "a", tmp_path)) as etcd:
        etcd.write(WEB1, [], {"owner": "a"})
        etcd._token = "nobody-knows-it.1"
        assert isinstance(etcd.write(WEB1, [], {"owner": "b"}), Written)
        assert etcd.read(WEB1)["owner"].value == b"b"


def test_another_authoritys_server_is_not_believed(guarded: Member, tmp_path: Path) -> None:
    settings = replace(settings_of(guarded, "a", tmp_path), ca_file=make_tls(tmp_path).authority)
    with Etcd(settings) as etcd, pytest.raises(EtcdError, match=r"TLS: [a-z ]*certificate"):
        etcd.read(WEB1)


@pytest.mark.parametrize(
    ("name", "text", "mode", "complaint"),
    [
        ("password", "a-password-of-a-test", 0o644, "password: others may read it; make it 0600"),
        ("password", "short", 0o600, "password: holds 5 bytes"),
        ("authority.pem", "no certificate", 0o644, "authority.pem: no certificate can be read"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, name: str, text: str, mode: int, complaint: str) -> None:
    make_tls(tmp_path)
    (tmp_path / "password").write_text("a-password-of-a-test")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / name).write_text(text)
    (tmp_path / name).chmod(mode)
    settings = LeaseSettings(("https://127.0.0.1:1",), CLUSTER, tmp_path / "authority.pem", "a", tmp_path / "password")
    with pytest.raises(FailoverError, match=complaint):
        Etcd(settings)


def test_a_connection_that_takes_longer_than_a_call_goes_on_with_the_next(tmp_path: Path) -> None:
    """As on an emulated host, where TLS alone takes half a second."""
    files = make_tls(tmp_path)
    accepted: list[socket.socket] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    answer = http({"header": HEADER})

    def serve() -> None:
        plain, _ = listener.accept()
        accepted.append(plain)
        is_late.wait(20)
        with context.wrap_socket(plain, server_side=True) as connection:
            read_request(connection)
            connection.sendall(answer)

    is_late = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with Etcd(LeaseSettings((url,), CLUSTER, files.authority, call_timeout_s=LIMIT_S)) as etcd:
            for _ in range(2):
                with pytest.raises(EtcdError, match="no answer in time"):
                    etcd.read("/k/")
            is_late.set()
            assert etcd.read("/k/") == {}
        thread.join()
    assert len(accepted) == 1


@pytest.mark.parametrize("more", [{}, {"responses": []}, {"responses": [{}]}, {"responses": [{"response_range": 1}]}])
def test_a_refusal_that_tells_nothing_is_not_believed(more: dict[str, object]) -> None:
    with (
        speaking(http({"header": HEADER, **more})) as url,
        Etcd(LeaseSettings((url,), CLUSTER)) as etcd,
        pytest.raises(EtcdError, match="not an answer of etcd's"),
    ):
        etcd.write("/k/", [], {"owner": "x"})
