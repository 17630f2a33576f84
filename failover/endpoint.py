"""One address of etcd's JSON gateway: in, a path and a message; out, its answer, never later than a deadline.

http.client, not urllib3 or etcd3gw: it is imported in a third and a sixth of their time, which an emulated host counts
in seconds, and its sockets can be given a deadline for a whole answer: the timeouts of the others are for each part.
"""

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, socket
from typing import Any, Final
from urllib.parse import urlsplit

from failover.errors import FailoverError
from telemetry.units import NS_PER_S

_MOST_BYTES: Final = 1 << 16
"""An answer is a few keys of one guest."""
_BEGUN_NS: Final = 5 * NS_PER_S
"""A connection that has not come about by then is begun anew."""


class EtcdError(FailoverError):
    """No answer that can be trusted: whether the server has acted is unknown. The text says why."""


class EtcdRefused(EtcdError):
    """The server says no, for a reason of its own; `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Endpoint:
    """Keeps one connection open between calls; only one thread may use it."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        """`url` is checked by LeaseSettings; `tls` has socket class TlsSocket."""
        parts = urlsplit(url)
        self.url, self._tls = url, tls
        self._host, self._port = str(parts.hostname), int(parts.port or 0)
        self._host_header = parts.netloc
        self._open: TcpSocket | TlsSocket | None = None
        self._begun: TcpSocket | TlsSocket | None = None
        """Connected, with TLS still to be agreed on."""
        self._begun_ns = 0

    def post(self, path: str, message: Mapping[str, object], token: str, deadline_ns: int) -> Mapping[str, Any]:
        """The answer; raises EtcdError, EtcdRefused. A connection that the server has left is made anew once."""
        request = self._request(path, json.dumps(message).encode(), token)
        is_kept = self._open is not None
        try:
            try:
                status, data = self._exchange(request, deadline_ns)
            except ConnectionError:
                if not is_kept:
                    raise
                status, data = self._exchange(request, deadline_ns)
        except TimeoutError:
            raise EtcdError(f"{self.url}: no answer in time") from None
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or str(error)
            raise EtcdError(f"{self.url}: TLS: {reason}") from error
        except OSError as error:
            raise EtcdError(f"{self.url}: {error.strerror or error}") from error
        except (http.client.HTTPException, ValueError) as error:
            raise EtcdError(f"{self.url}: not an answer of etcd's: {error!r:.200}") from error
        return self._read(status, data)

    def close(self) -> None:
        """End the connection."""
        for connection in (self._open, self._begun):
            if connection is not None:
                connection.close()
        self._open = self._begun = None

    def _request(self, path: str, body: bytes, token: str) -> bytes:
        """To be sent at once: http.client sends head and body apart, which is a fifth of what a call costs."""
        headers = {"Host": self._host_header, "Content-Length": str(len(body))}
        if token:
            headers["Authorization"] = token
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if not all(line.isascii() and line.isprintable() for line in lines):
            raise EtcdError(f"{self.url}: gave a token that cannot be sent")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    def _exchange(self, request: bytes, deadline_ns: int) -> tuple[int, bytes]:
        connection = self._open = self._open or self._connect(deadline_ns)
        try:
            connection.deadline_ns = deadline_ns
            connection.settimeout(_left_s(deadline_ns))
            connection.sendall(request)
            with closing(http.client.HTTPResponse(connection, method="POST")) as answer:
                answer.begin()
                data = _whole(answer)
        except BaseException:
            self.close()  # or the next call would read this one's answer
            raise
        if answer.will_close:
            self.close()
        return answer.status, data

    def _connect(self, deadline_ns: int) -> "TcpSocket | TlsSocket":
        """A connection; what is late of it goes on with the next call, as TLS takes an emulated host half a second."""
        try:
            if self._begun is None or time.monotonic_ns() - self._begun_ns > _BEGUN_NS:
                self.close()
                self._begun, self._begun_ns = self._begin(deadline_ns), time.monotonic_ns()
            self._begun.settimeout(_left_s(deadline_ns))
            if isinstance(self._begun, TlsSocket):
                self._begun.do_handshake()
        except TimeoutError:
            raise
        except BaseException:
            self.close()
            raise
        connection, self._begun = self._begun, None
        return connection

    def _begin(self, deadline_ns: int) -> "TcpSocket | TlsSocket":
        plain = TcpSocket(AF_INET if ip_address(self._host).version == 4 else AF_INET6, SOCK_STREAM)
        try:
            plain.settimeout(_left_s(deadline_ns))
            plain.connect((self._host, self._port))
            plain.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if self._tls is None:
                return plain
            wrapped = self._tls.wrap_socket(plain, server_hostname=self._host, do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        assert isinstance(wrapped, TlsSocket)
        return wrapped

    def _read(self, status: int, data: bytes) -> Mapping[str, Any]:
        answer = None
        with suppress(ValueError, RecursionError):
            answer = json.loads(data)
        if not isinstance(answer, dict):
            raise EtcdError(f"{self.url}: not an answer of etcd's: {status} {data[:80]!r}")
        if status != http.HTTPStatus.OK:
            raise EtcdRefused(f"{self.url}: {answer.get('message') or answer.get('error')}", status)
        return answer


class TcpSocket(socket):
    """Each wait for bytes ends by one deadline (CLOCK_MONOTONIC), however the server spaces them."""

    deadline_ns = 0

    def recv_into(self, *arguments: Any) -> int:
        """As socket.recv_into."""
        self.settimeout(_left_s(self.deadline_ns))
        return super().recv_into(*arguments)


class TlsSocket(ssl.SSLSocket):
    """The same, encrypted."""

    deadline_ns = 0

    def recv_into(self, *arguments: Any) -> int:
        """As SSLSocket.recv_into."""
        self.settimeout(_left_s(self.deadline_ns))
        return super().recv_into(*arguments)


def tls(ca_file: str) -> ssl.SSLContext:
    """What trusts the authority in `ca_file` alone; raises EtcdError where it cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TlsSocket
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:  # ssl.SSLError is one, where it holds no certificate
        raise EtcdError(f"{ca_file}: no certificate can be read: {error.strerror}") from error
    return context


def _whole(answer: http.client.HTTPResponse) -> bytes:
    data = answer.read(_MOST_BYTES)
    if answer.read(1):  # which also reads the end of an answer in chunks
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    return data


def _left_s(deadline_ns: int) -> float:
    left_ns = deadline_ns - time.monotonic_ns()
    if left_ns <= 0:
        raise TimeoutError
    return left_ns / NS_PER_S
