"""Processes of a replication: in, a name; out, a shell command that kills the process on its host."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ON_PRIMARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "xl remus": "systemctl show --property=MainPID --value {unit}",
        "helper": "pgrep -x libxl-save-help",
        "transport": "pgrep -x -P $(systemctl show --property=MainPID --value {unit}) hefery-remus",
    }
)
_ON_BACKUP: Final = {
    "xl migrate-receive": "pgrep -o -x xl",
    "receiver": "ps -o ppid= -p $(pgrep -o -x xl)",
}
"""Commands that print the victim's number; the oldest xl is no list that somebody asks for just then."""
ALL: Final[Mapping[str, str]] = MappingProxyType({**ON_PRIMARY, **_ON_BACKUP})


def kill(victim: str, unit: str, wait_s: float = 0.0) -> str:
    """Kill it, `wait_s` after the stream has begun on its host."""
    begun = "until pgrep -x libxl-save-help >/dev/null; do sleep 0.2; done"
    return f"{begun}; victim=$({ALL[victim].format(unit=unit)}) && sleep {wait_s:.3f} && kill -KILL $victim"
