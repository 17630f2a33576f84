"""Configuration: in, the path of a TOML file; out, frozen and checked settings, or one sentence on what is wrong."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from telemetry.complaints import sentences


class ConfigError(Exception):
    """The configuration cannot be used; the text names file, key or line, and the remedy."""


class Section(BaseModel):
    """A part of a configuration file: unknown keys are refused, values are never converted from another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)


def _named(path: Path) -> Path:
    if path == Path() or "\0" in str(path):
        raise ValueError(f"{str(path)!r} names no file; write its whole path")
    return path


FilePath = Annotated[Path, Field(strict=False), AfterValidator(_named)]
"""A path, written as text in the file."""

AnySettings = TypeVar("AnySettings", bound=Section)


class RetentionDays(Section):
    """How long points are kept, by bucket; events and incidents are kept for ever."""

    telemetry: int = Field(default=30, ge=1, description="A month: more than training looks back on.")
    decisions: int = Field(default=30, ge=1, description="As long, to be read beside them.")
    responses: int = Field(default=30, ge=1, description="As long, too.")


class SqliteSettings(Section):
    """An embedded store, for one machine."""

    kind: Literal["sqlite"] = Field(description="Which store this is.")
    path: FilePath = Field(description="The database file.")
    retention_days: RetentionDays = RetentionDays()


class InfluxBuckets(Section):
    """The buckets that the schema's points live in."""

    telemetry: str = Field(default="telemetry", description="What agents measure.")
    decisions: str = Field(default="decisions", description="What the predictor writes.")
    responses: str = Field(default="responses", description="What load clients see.")
    events: str = Field(default="events", description="What happened, and incidents: kept for ever.")


class InfluxSettings(Section):
    """An InfluxDB 2.x server."""

    kind: Literal["influxdb"] = Field(description="Which store this is.")
    url: str = Field(
        pattern=r"^https?://[^/\s@]+$", description="Address of the server, such as http://127.0.0.1:8086."
    )
    org: str = Field(min_length=1, description="Organisation that owns the buckets.")
    token_file: FilePath = Field(description="File (0600) that holds this program's own token.")
    timeout_s: float = Field(default=10.0, gt=0, description="How long one request may take.")
    ca_file: FilePath | None = Field(default=None, description="Certificate authority to trust, for https.")
    buckets: InfluxBuckets = InfluxBuckets()


StoreSettings = Annotated[SqliteSettings | InfluxSettings, Field(discriminator="kind")]
"""The `[store]` section."""


def load(path: Path, kind: type[AnySettings]) -> AnySettings:
    """Read `path` as the settings `kind`; raises `ConfigError` that names the line or key."""
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; name another with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {sentence}" for sentence in sentences(kind, error))) from error
    except (ValueError, RecursionError) as error:  # of tomllib: thousands of digits, or of brackets
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
