"""Whether this host takes new copies: in, an operator's word; out, a flag that stands until the next boot."""

from pathlib import Path

from failover.errors import FailoverError


class InMaintenance(FailoverError):
    """This host takes no new copies."""


def check(run_dir: Path, host: str) -> None:
    """Raises InMaintenance."""
    if is_on(run_dir):
        raise InMaintenance(
            f"{host} is in maintenance, and takes no copies: `hefery-remus maintenance --end` ends that"
        )


def is_on(run_dir: Path) -> bool:
    """Whether it refuses them."""
    return _flag(run_dir).exists()


def begin(run_dir: Path) -> None:
    """Refuse from now on; raises OSError."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _flag(run_dir).touch(mode=0o600)


def end(run_dir: Path) -> None:
    """Take them again; raises OSError."""
    _flag(run_dir).unlink(missing_ok=True)


def _flag(run_dir: Path) -> Path:
    return run_dir / "maintenance"
