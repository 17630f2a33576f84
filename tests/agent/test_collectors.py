from pathlib import Path

import pytest

from agent.checkpoints import CheckpointCollector
from agent.collectors import collectors
from agent.settings import AgentSettings


def settings_of(tmp_path: Path, **sections: object) -> AgentSettings:
    store = {"kind": "sqlite", "path": str(tmp_path / "store.db")}
    return AgentSettings.model_validate({"store": store, "host": "a", "run_dir": str(tmp_path), **sections})


def names(settings: AgentSettings, *, listen: bool = True) -> list[str]:
    return [collector.name for collector in collectors(settings, listen=listen)]


def test_a_xen_host_is_the_default(tmp_path: Path) -> None:
    assert names(settings_of(tmp_path)) == ["xen", "guest-memory", "checkpoints", "host"]
    assert names(settings_of(tmp_path), listen=False) == ["xen", "guest-memory", "host"]


@pytest.mark.parametrize(
    ("sections", "left"),
    [
        ({"xen": {"enabled": False}}, ["checkpoints", "host"]),
        ({"xen": {"guest_memory": False}}, ["xen", "checkpoints", "host"]),
        ({"checkpoints": {"enabled": False}}, ["xen", "guest-memory", "host"]),
        ({"machine": {"enabled": False}}, ["xen", "guest-memory", "checkpoints"]),
        ({"guest": {"enabled": True, "domain": "web"}}, ["xen", "guest-memory", "checkpoints", "host", "guest"]),
        (
            {"responses": {"enabled": True, "domain": "web"}},
            ["xen", "guest-memory", "checkpoints", "host", "responses"],
        ),
    ],
)
def test_each_can_be_chosen(tmp_path: Path, sections: dict[str, object], left: list[str]) -> None:
    assert names(settings_of(tmp_path, **sections)) == left


@pytest.mark.parametrize("xen", [True, False])
def test_the_listener_asks_xentop_what_runs_here_where_there_is_xen(tmp_path: Path, xen: bool) -> None:
    found = collectors(settings_of(tmp_path, xen={"enabled": xen}))
    (listener,) = (collector for collector in found if isinstance(collector, CheckpointCollector))
    assert listener._runs_here("web") is not xen  # xentop has not told of any domain yet
