"""The agent's configuration: in, a TOML file; out, frozen and checked settings, every default with its reason."""

import socket
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from agent.evidence import Limits
from agent.order import is_domain_name
from telemetry.settings import FilePath, Section, StoreSettings
from telemetry.units import NS_PER_S


def _domain_name(name: str) -> str:
    if not is_domain_name(name):
        raise ValueError(f"{name!r} cannot be a domain's name: it must not hold / or \\, nor be . or ..")
    return name


DomainName = Annotated[str, AfterValidator(_domain_name)]
DomainNames = Annotated[tuple[DomainName, ...], Field(strict=False)]
Words = Annotated[tuple[str, ...], Field(strict=False)]


class SpoolSettings(Section):
    """Where points wait for the store."""

    path: FilePath = Field(
        default=Path("/var/lib/hefery/spool.db"), description="The spool's file, on a disk that outlives a reboot."
    )
    max_bytes: int = Field(
        default=512 * 2**20,
        ge=2**20,
        description="Most JSON to keep, the file needs a third more: 10 domains make 400 MB in a day without a store.",
    )
    max_age_s: float = Field(
        default=7 * 86_400.0,
        ge=60,
        description="Points that have waited longer, by the wall clock, are dropped: no training looks back a week.",
    )


class SenderSettings(Section):
    """How points go from the spool to the store."""

    period_s: float = Field(
        default=0.5,
        ge=0.01,
        le=60,
        description="Pause when all is sent: half a sample's period, so that points are fresh.",
    )
    batch_points: int = Field(
        default=5_000, ge=1, le=50_000, description="Most points of a request: InfluxDB's makers recommend 5,000 lines."
    )
    flush_s: float = Field(
        default=5.0, ge=0, le=60, description="How long to go on sending after a stop; what is left waits in the spool."
    )


class XenSettings(Section):
    """The domains of a Xen host, seen by xentop."""

    enabled: bool = Field(default=True, description="Whether this is a Xen host whose domains are to be watched.")
    period_s: int = Field(default=1, ge=1, le=60, description="xentop's delay, in whole seconds: 1 is its shortest.")
    domains: DomainNames = Field(default=(), description="Domains to watch; none named: all but Domain-0.")
    guest_memory: bool = Field(
        default=True, description="Whether to read what guests say of their memory in xenstore, by xenstored's socket."
    )


class MachineSettings(Section):
    """The machine that the agent runs on, seen by its own kernel."""

    enabled: bool = Field(default=True, description="Whether to measure it.")
    period_s: float = Field(default=1.0, ge=0.1, le=60, description="Time between samples: that of xentop.")
    interfaces: Words = Field(default=(), description="Network interfaces that count; none named: all but loopback.")


class GuestSettings(Section):
    """A guest from inside, or a machine that stands for one."""

    enabled: bool = Field(default=False, description="Whether the agent runs in a guest and measures it as a domain.")
    domain: DomainName | None = Field(default=None, description="The domain's name on its Xen host.")
    period_s: float = Field(default=1.0, ge=0.1, le=60, description="Time between samples: that of xentop.")
    interfaces: Words = Field(default=(), description="Network interfaces that count; none named: all but loopback.")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.enabled and self.domain is None:
            raise ValueError("domain is missing; add the domain's name, or set enabled = false")
        return self


class CheckpointSettings(Section):
    """What the pacers report."""

    enabled: bool = Field(default=True, description="Whether to listen to the pacers of this host.")
    period_s: float = Field(
        default=1.0, ge=0.1, le=60, description="Time that a checkpoint point sums up: that of xentop."
    )


class GovernorSettings(Section):
    """How decisions become orders."""

    enabled: bool = Field(default=True, description="Whether to write orders for the pacers of this host.")
    primary: Literal["remus", "assumed"] = Field(
        default="remus",
        description="Whose primary this host is: remus asks its processes; assumed takes all of domains, without Xen.",
    )
    domains: DomainNames = Field(
        default=(), description="Domains to govern; none named: every one that is replicated from here."
    )
    protective_interval_ms: int = Field(
        default=25,
        ge=1,
        le=10_000,
        description="Interval of doubt, and the shortest; the pacers must have the same. 25 ms is the paper's.",
    )
    max_interval_ms: int = Field(
        default=8_000,
        ge=1,
        le=3_600_000,
        description="Longest interval allowed here: the longest that was measured. Xen 4.2 needs 500 or less.",
    )
    period_s: float = Field(
        default=1.0, ge=0.01, le=10, description="Time between looks at decisions, holds and processes."
    )
    future_tolerance_s: float = Field(
        default=1.0, ge=0, le=10, description="How far the predictor's clock may be ahead: more than NTP leaves."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.protective_interval_ms > self.max_interval_ms:
            raise ValueError(
                f"protective_interval_ms ({self.protective_interval_ms}) is above max_interval_ms"
                f" ({self.max_interval_ms}); make it the shorter of the two"
            )
        if self.primary == "assumed" and not self.domains:
            raise ValueError('domains is empty; name those to govern, as primary = "assumed" asks no processes')
        return self

    @property
    def limits(self) -> Limits:
        """What the governor may order."""
        return Limits(self.protective_interval_ms, self.max_interval_ms, int(self.future_tolerance_s * NS_PER_S))


class ResponseSettings(Section):
    """What a load client felt, from the results that JMeter writes."""

    enabled: bool = Field(default=False, description="Whether JMeter runs here, and its results are to be followed.")
    path: FilePath = Field(
        default=Path("/var/lib/hefery-load/run.jtl"), description="The file that JMeter writes, as CSV with a header."
    )
    domain: DomainName | None = Field(default=None, description="The domain that answers.")
    window_s: float = Field(
        default=1.0, ge=0.1, le=3600, description="Time that a response point sums up: a sample's period."
    )
    period_s: float = Field(default=1.0, ge=0.1, le=60, description="Time between looks at the file.")
    history_s: float = Field(
        default=86_400.0, ge=60, description="How old a part of the file may be to be told again after a start."
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.enabled and self.domain is None:
            raise ValueError("domain is missing; add the name of the domain that answers, or set enabled = false")
        return self


class HealthSettings(Section):
    """The agent's own health."""

    period_s: float = Field(
        default=10.0, ge=0.1, le=3600, description="Time between agent points: alerts need no more."
    )


class AgentSettings(Section):
    """The file agent.toml."""

    store: StoreSettings = Field(description="Where points go, and decisions come from.")
    host: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[^\\\s]+$",
        description="This machine's name in points: its own by default.",
    )
    run_dir: FilePath = Field(
        default=Path("/run/hefery"), description="Orders, holds and report sockets, by domain; emptied by a reboot."
    )
    spool: SpoolSettings = SpoolSettings()
    sender: SenderSettings = SenderSettings()
    xen: XenSettings = XenSettings()
    machine: MachineSettings = MachineSettings()
    guest: GuestSettings = GuestSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    responses: ResponseSettings = ResponseSettings()
    governor: GovernorSettings = GovernorSettings()
    health: HealthSettings = HealthSettings()
