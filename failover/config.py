"""Reading remus.toml: in, its path; out, the settings, or one sentence on what is wrong in which key."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, TypeVar

from failover.errors import FailoverError
from failover.lease_settings import FenceSettings, LeaseSettings
from failover.settings import (
    DomainSettings,
    HeartbeatSettings,
    HostSettings,
    PeerSettings,
    ReceiverSettings,
    RemusSettings,
)

Table = TypeVar("Table")


class ConfigError(FailoverError):
    """The configuration cannot be used; the text names file, key or line, and the remedy."""


def load(path: Path) -> RemusSettings:
    """The settings in the file; raises ConfigError."""
    try:
        return _settings(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; name another with --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _settings(tables: Mapping[str, Any]) -> RemusSettings:
    _check_known({field.name for field in fields(RemusSettings)}, tables, "")
    return RemusSettings(
        _table(HostSettings, tables.get("host", {}), "host"),
        _table(HeartbeatSettings, tables.get("heartbeat", {}), "heartbeat"),
        _table(ReceiverSettings, tables.get("receiver", {}), "receiver"),
        _tables(PeerSettings, tables.get("peers", []), "peers"),
        _tables(DomainSettings, tables.get("domains", []), "domains"),
        _table(LeaseSettings, tables["lease"], "lease") if "lease" in tables else None,
        _table(FenceSettings, tables["fence"], "fence") if "fence" in tables else None,
    )


def _tables(kind: type[Table], tables: object, name: str) -> tuple[Table, ...]:
    if not isinstance(tables, list):
        raise ValueError(f"{name}: must be tables, each begun by [[{name}]]")  # noqa: TRY004 - what the file holds is a value
    return tuple(_table(kind, table, f"{name}[{number}]") for number, table in enumerate(tables))


def _table(kind: type[Table], table: object, name: str) -> Table:
    if not isinstance(table, dict):
        raise ValueError(f"{name}: must be a table")  # noqa: TRY004 - what the file holds is a value
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type] # a dataclass
    _check_known(set(known), table, f"{name}.")
    if missing := [key for key, field in known.items() if field.default is MISSING and key not in table]:
        raise ValueError(f"{name}.{missing[0]}: is missing; add it")
    values = {key: _value(known[key].type, value, f"{name}.{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{name}.{error}") from error


def _check_known(known: set[str], table: Mapping[str, Any], name: str) -> None:
    if unknown := sorted(set(table) - known):
        raise ValueError(f"{name}{unknown[0]}: is not known; remove it, or mean one of {', '.join(sorted(known))}")


def _value(kind: object, value: Any, key: str) -> object:
    """What TOML has read as the type that the setting has; nothing is converted from another type."""
    if kind is int and type(value) is int:
        return value
    if kind is float and type(value) in {int, float}:
        return float(value)
    if kind is str and isinstance(value, str):
        return value
    if kind in {Path, Path | None} and isinstance(value, str) and value and "\0" not in value:
        return Path(value)
    if kind == tuple[str, str] and isinstance(value, list) and [type(name) for name in value] == [str, str]:
        return tuple(value)
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(text, str) for text in value):
        return tuple(value)
    raise ValueError(f"{key}: {value!r} is not {_KINDS[str(kind)]}")


_KINDS: Mapping[str, str] = {
    str(int): "a whole number",
    str(float): "a number",
    str(str): "text",
    str(Path): "a path, written as text",
    str(Path | None): "a path, written as text",
    str(tuple[str, str]): "a list of two names",
    str(tuple[str, ...]): "a list of texts",
}
