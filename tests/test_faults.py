"""The fault proxy does what it is told, so that tests that use it mean something."""

import json

import pytest
import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from tests.faults import Act, Answer, FaultProxy, Request

HTTP = urllib3.PoolManager(retries=False)


def _health(proxy: FaultProxy, timeout_s: float = 10.0) -> urllib3.BaseHTTPResponse:
    return HTTP.request("GET", f"{proxy.url}/health", timeout=timeout_s)


def test_passes_requests_on_unless_told_otherwise(fault_proxy: FaultProxy) -> None:
    assert json.loads(_health(fault_proxy).data)["status"] == "pass"
    assert fault_proxy.requests == [Request("GET", "/health", b"")]


def test_answers_in_the_servers_place(fault_proxy: FaultProxy) -> None:
    fault_proxy.order(Answer(429, retry_after="7"))
    answer = _health(fault_proxy)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert _health(fault_proxy).status == 200


@pytest.mark.parametrize("act", [Act.CUT_REQUEST, Act.CUT_RESPONSE])
def test_cuts_connections(fault_proxy: FaultProxy, act: Act) -> None:
    fault_proxy.order(act)
    with pytest.raises(ProtocolError):
        _health(fault_proxy)


def test_hangs_until_the_client_gives_up(fault_proxy: FaultProxy) -> None:
    fault_proxy.order(Act.HANG)
    with pytest.raises(ReadTimeoutError):
        _health(fault_proxy, timeout_s=0.1)


def test_asks_a_function_what_to_do_with_each_request(fault_proxy: FaultProxy) -> None:
    fault_proxy.decide = lambda request: Answer(400) if b"bad" in request.body else Act.PASS
    assert HTTP.request("POST", fault_proxy.url, body=b"a bad line").status == 400
    assert _health(fault_proxy).status == 200
