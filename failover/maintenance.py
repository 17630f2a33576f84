"""A host that is to be empty (A5): in, an operator's word; out, its guests handed over, new copies refused."""

import argparse
from typing import Final

from failover import hand_over, primary, refusing, xl
from failover.errors import FailoverError
from failover.settings import RemusSettings

_LEFT: Final = 1


def run(settings: RemusSettings, arguments: argparse.Namespace) -> int:
    """Begin it, or end it; 1 where a guest, or a record that names this host, is left. It may be run again."""
    if arguments.end:
        refusing.end(settings.host.run_dir)
        primary.tell({"act": "maintenance", "host": settings.host.name, "is_over": True})
        return 0
    refusing.begin(settings.host.run_dir)
    handed_over, left = _hand_over_each(settings)
    left |= {guest: why for guest, why in _named(settings).items() if guest not in left}
    evidence = {"handed_over": handed_over, "left": left, "is_over": False}
    primary.tell({"act": "maintenance", "host": settings.host.name, **evidence})
    return _LEFT if left else 0


def _hand_over_each(settings: RemusSettings) -> tuple[list[str], dict[str, str]]:
    """Those that went; and those that are here still, with the reason."""
    there, handed_over, left = xl.domains_if_any(), [], {}
    for domain in settings.domains:
        if domain.name not in there:
            continue
        try:
            hand_over.hand_over(settings, domain)
            handed_over.append(domain.name)
        except FailoverError as error:
            left[domain.name] = str(error)
    return handed_over, left


def _named(settings: RemusSettings) -> dict[str, str]:
    """Guests of which the record says that they are this host's, or says nothing that can be heard."""
    if settings.lease is None:
        return {}
    from failover import lease_show  # noqa: PLC0415 - what speaks to etcd takes an emulated host seconds to import

    named = {}
    for shown in lease_show.read(settings, settings.lease):
        if shown.problem:
            named[shown.guest] = shown.problem
        elif shown.runner == settings.host.name:
            named[shown.guest] = "its record names this host: it is not here, start it on the other"
    return named
