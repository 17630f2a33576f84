"""What the store on a real InfluxDB does beyond the contract: rights, tokens, and answers that never come whole."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from telemetry import flux
from telemetry.influx import InfluxStore
from telemetry.point import Point
from telemetry.settings import InfluxSettings
from telemetry.store import Grid, StoreError, StoreRefused, StoreUnavailable
from tests.faults import Act, FaultProxy
from tests.influxd import Influx, write_lines

T = 1_700_000_000 * 10**9
OBSERVED = Point("domain", {"host": "a", "domain": "vm"}, {"cpu_ratio": 0.5}, T)
DECIDED = Point("decision", {"domain": "vm"}, {"interval_ms": 25.0}, T)

CALLS: dict[str, Callable[[InfluxStore], object]] = {
    "append": lambda store: store.append([OBSERVED]),
    "window": lambda store: store.window("domain", ["cpu_ratio"], Grid(T, 10**9, 1), by=["domain"]),
    "latest": lambda store: store.latest("domain", since_ns=T),
    "events": lambda store: store.events("domain", T, T + 1),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.fixture
def proxied(influx: Influx, fault_proxy: FaultProxy) -> Iterator[InfluxStore]:
    """A store whose requests pass the fault proxy."""
    with closing(InfluxStore(influx.settings(url=fault_proxy.url))) as store:
        store.append([OBSERVED])
        yield store


# ---- rights ---------------------------------------------------------------------------------------------------------


def test_a_token_for_telemetry_can_neither_write_nor_read_decisions(influx: Influx) -> None:
    with closing(InfluxStore(influx.settings(influx.tokens["telemetry"]))) as store:
        store.append([OBSERVED])
        with pytest.raises(
            StoreRefused, match=r"403: insufficient permissions for write; give the token in .* the right"
        ):
            store.append([DECIDED])
        with pytest.raises(StoreRefused, match=r"404: .*could not find bucket"):
            store.latest("decision", since_ns=T)
        assert store.latest("domain", since_ns=T) == [OBSERVED]


@calls
def test_a_wrong_token_is_refused(influx: Influx, call: Callable[[InfluxStore], object]) -> None:
    settings = influx.settings("wrong")
    with closing(InfluxStore(settings)) as store:
        remedy = f"401: unauthorized access; give the token in {settings.token_file} the right to these buckets"
        with pytest.raises(StoreRefused, match=re.escape(remedy)):
            call(store)
        assert remedy in store.health().message


@calls
def test_a_wrong_organisation_is_refused(influx: Influx, call: Callable[[InfluxStore], object]) -> None:
    settings = influx.settings().model_copy(update={"org": "nobody"})
    with closing(InfluxStore(settings)) as store:
        with pytest.raises(StoreRefused, match='"nobody" not found; is there an organisation nobody'):
            call(store)
        assert not store.health().ok


def test_says_which_server_answers(influx: Influx) -> None:
    with closing(InfluxStore(influx.settings())) as store:
        assert re.fullmatch(rf"{influx.url}: InfluxDB v?2\.\d+.*", store.health().message)


# ---- the token's file -----------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> InfluxSettings:
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "token").chmod(0o600)
    return InfluxSettings(kind="influxdb", url="http://127.0.0.1:9", org="x", token_file=tmp_path / "token")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_refuses_a_token_that_others_may_read(settings: InfluxSettings, mode: int) -> None:
    settings.token_file.chmod(mode)
    with pytest.raises(StoreRefused, match="token: others may read or change the token; protect it with chmod 600"):
        InfluxStore(settings)


@pytest.mark.parametrize("text", ["", "\n", "one\ntwo\n", "a\x00b"])
def test_refuses_a_file_that_holds_no_token(settings: InfluxSettings, text: str) -> None:
    settings.token_file.write_text(text)
    with pytest.raises(StoreRefused, match="token: holds no token; write one there, on one line"):
        InfluxStore(settings)


def test_refuses_a_token_that_cannot_be_read(settings: InfluxSettings) -> None:
    settings.token_file.unlink()
    with pytest.raises(StoreRefused, match=r"token: the token cannot be read \(.*No such file.*\); write it there"):
        InfluxStore(settings)


# ---- faults on the way ----------------------------------------------------------------------------------------------


@calls
@pytest.mark.parametrize("act", [Act.CUT_REQUEST, Act.CUT_RESPONSE])
def test_an_answer_that_does_not_come_is_for_later(
    proxied: InfluxStore, fault_proxy: FaultProxy, act: Act, call: Callable[[InfluxStore], object]
) -> None:
    fault_proxy.order(act)
    before = len(fault_proxy.requests)
    with pytest.raises(StoreUnavailable, match=f"^{fault_proxy.url}: no answer: "):
        call(proxied)
    assert len(fault_proxy.requests) == before + 1  # it is not repeated behind the caller's back
    call(proxied)


@calls
def test_a_server_that_stalls_is_for_later(
    influx: Influx, fault_proxy: FaultProxy, call: Callable[[InfluxStore], object]
) -> None:
    fault_proxy.order(Act.HANG)
    impatient = influx.settings(url=fault_proxy.url, timeout_s=0.1)
    timed_out = pytest.raises(StoreUnavailable, match=r"no answer: .*timed out")
    with closing(InfluxStore(impatient)) as store, timed_out:
        call(store)
    assert len(fault_proxy.requests) == 1


def test_no_server_is_for_later(settings: InfluxSettings) -> None:
    with closing(InfluxStore(settings)) as store:
        with pytest.raises(StoreUnavailable, match=r"http://127.0.0.1:9: no answer: .*Connection refused"):
            store.append([OBSERVED])
        assert not store.health().ok


def test_points_written_before_the_answer_was_lost_are_not_doubled(
    proxied: InfluxStore, fault_proxy: FaultProxy
) -> None:
    fault_proxy.order(Act.CUT_RESPONSE)
    with pytest.raises(StoreUnavailable):
        proxied.append([DECIDED])
    assert proxied.events("decision", T, T + 1) == [DECIDED]
    proxied.append([DECIDED])
    assert proxied.events("decision", T, T + 1) == [DECIDED]


def test_passes_over_what_a_newer_version_wrote(influx: Influx) -> None:
    write_lines(
        influx, influx.buckets.telemetry, [f"domain,domain=vm,host=a later=1 {T}", f"domain,domain=x later=1 {T}"]
    )
    with closing(InfluxStore(influx.settings())) as store:
        assert store.events("domain", T, T + 1) == []
        store.append([OBSERVED])
        assert store.events("domain", T, T + 1) == store.latest("domain", since_ns=T) == [OBSERVED]


def test_an_answer_that_the_server_breaks_off_is_no_answer(influx: Influx) -> None:
    with closing(InfluxStore(influx.settings())) as store:
        store.append([Point("domain", OBSERVED.tags, {"cpu_ratio": 0.5, "state": "r"}, T)])
        text = "from(bucket: bucket) |> range(start: time(v: 1), stop: time(v: stop_ns)) |> group()"
        query = flux.Query(text, {"bucket": influx.buckets.telemetry, "stop_ns": T + 1}, ("_value",))
        rows = store._rows(query)
        assert next(rows) == ["0.5"]
        with pytest.raises(StoreError, match="InfluxDB broke its answer off: schema collision"):
            next(rows)


def test_one_request_goes_to_each_bucket(proxied: InfluxStore, fault_proxy: FaultProxy) -> None:
    before = len(fault_proxy.requests)
    proxied.append([OBSERVED, DECIDED, OBSERVED])
    telemetry, decisions = fault_proxy.requests[before:]
    assert telemetry.body.decode().splitlines() == [f"domain,domain=vm,host=a cpu_ratio=0.5 {T}"] * 2
    assert decisions.body.decode() == f"decision,domain=vm interval_ms=25.0 {T}"
    assert "precision=ns" in telemetry.path
    assert telemetry.gzipped


def test_proxies_of_the_environment_are_not_asked(influx: Influx, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with closing(InfluxStore(influx.settings())) as store:
        store.append([OBSERVED])
        assert store.latest("domain", since_ns=T) == [OBSERVED]
