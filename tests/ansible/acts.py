"""What Xen hosts say of a guest, in every situation that an act may meet, and the filters that make something of it."""

from typing import Any

from tests.ansible.plugins import load

SURVEY = load("act/filter_plugins/act_survey.py")
PLANS = load("act/filter_plugins/act_plans.py")
GUEST = {"name": "web1", "primary": "a", "backup": "b", "address": "10.0.0.1"}
GOING = {"version": 1, "protected": True, "interval_ms": 25.0, "rate_per_s": 5.4, "pause_ms": None}


def host(**changes: Any) -> dict[str, Any]:
    """What a host says that is set up and on which nothing happens."""
    return {
        "xen": True,
        "live": {},
        "incoming": [],
        "units": {"web1": "inactive"},
        "services": {"agent": "active", "receiver": "active", "heartbeat": "active"},
        "replication": {"web1": None},
        "missing_disks": [],
        "disks_in_use": [],
        **changes,
    }


def living(**changes: Any) -> dict[str, Any]:
    return host(live={"web1": "-b----"}, disks_in_use=["web1"], **changes)


def replicating(**changes: Any) -> dict[str, Any]:
    return living(**{"units": {"web1": "active"}, "replication": {"web1": GOING}, **changes})


PROTECTED = {"a": replicating(), "b": host(incoming=["web1"])}
FAILED_OVER = {"a": host(), "b": living()}
REPROTECTED = {"a": host(incoming=["web1"]), "b": replicating()}


def surveys(seen: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = SURVEY.act_survey([GUEST], seen)
    return made


def plan(act: str, leaving: Any = "", **seen: Any) -> dict[str, Any]:
    (made,) = PLANS.act_plans(surveys(seen), act, seen, leaving)
    assert made["words"]
    planned: dict[str, Any] = made
    return planned
