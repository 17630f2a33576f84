"""The command hefery-remus: in, words on a command line; out, one verb done, and an exit code."""

import argparse
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from agent.notify import Notifier
from failover import giving_up, heartbeat, primary, receive, send, status
from failover.caller import Refused, Unreachable
from failover.control import Control, NoReceiver
from failover.copies import CopyError
from failover.giving_up import GivingUpError
from failover.libxl import LibxlError
from failover.locks import Locked
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings
from failover.wire import WireError
from failover.xl import XlError
from telemetry import command
from telemetry.settings import ConfigError, load

_CONFIG: Final = Path("/etc/hefery/remus.toml")
_UNPROTECTED: Final = 3
_ORDER_LIMIT_S: Final = 180.0
_REFUSALS: Final = (
    *(ActError, CopyError, GivingUpError, LibxlError, Locked, NoReceiver, Refused, Unreachable, WireError, XlError),
)

_EPILOG: Final = """\
Units run: heartbeat (every host), receive and clean (where a copy arrives), send, release and settle (where the guest
runs), connect (forced command of the peer's ssh key). For people:
  hefery-remus status                     what runs here, what arrives; exit code 3: a guest here is unprotected
  hefery-remus release --domain web1      end its replication; exit code 4: the peer could not be asked
  hefery-remus hand-over --domain web1    let the peer take over, on purpose
  hefery-remus clean --domain web1        end a copy here that nobody wants
  hefery-remus take-over --force --domain web1
                                          wake the copy here: only when the other host is dead, or both will run
"""

_Configured = Callable[[RemusSettings, argparse.Namespace], int]


def main(words: Sequence[str] | None = None) -> int:
    """Parse, wire, and do one verb; 0 where it was done, 1 with one sentence where it could not be."""
    return command.main(_parser(), words, RemusSettings, _REFUSALS)


def _parser() -> argparse.ArgumentParser:
    parser = command.parser("hefery-remus", "Replicates domains with Xen Remus, and takes them over.", _EPILOG, _CONFIG)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    for name, do, help_text in (
        ("heartbeat", _heartbeat, "tell the peers that this host lives, and hear whether they do; until ended"),
        ("receive", _receive, "serve one call of a peer; the connection is standard input"),
        ("connect", _connect, "pass a peer's call, on standard input and output, on to the receiver here"),
    ):
        command.add_verb(verbs, name, _with_settings(do), help_text)
    for name, act, help_text in (
        ("send", _send, "carry what `xl remus` writes to the peer's receiver"),
        ("release", _release, "end a replication safely: the peer gives its copy up first"),
        ("hand-over", _hand_over, "destroy the domain here and let the peer take over"),
        ("settle", _settle, "after `xl remus` has ended: nothing of it is left, the guest goes on"),
    ):
        _add_domain(command.add_verb(verbs, name, _with_domain(act), help_text))
    taking = command.add_verb(verbs, "take-over", _with_domain(_take_over), "wake the copy that is here")
    _add_domain(taking)
    taking.add_argument("--force", action="store_true", required=True, help="the other host is dead, I have seen it")
    cleaning = command.add_verb(verbs, "clean", _with_settings(_clean), "end copies whose receivers have died")
    cleaning.add_argument("--domain", metavar="NAME", help="end the copy of this domain, whatever its receiver does")
    showing = command.add_verb(verbs, "status", _with_settings(_status), "print domains, copies and peers")
    showing.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_domain(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--domain", metavar="NAME", required=True)


def _with_settings(do: _Configured) -> command.Do:
    return lambda arguments: do(load(arguments.config, RemusSettings), arguments)


def _with_domain(do: Callable[[RemusSettings, DomainSettings], int]) -> command.Do:
    return _with_settings(lambda settings, arguments: do(settings, _domain(settings, arguments)))


def _domain(settings: RemusSettings, arguments: argparse.Namespace) -> DomainSettings:
    try:
        return settings.domain(arguments.domain)
    except KeyError:
        known = ", ".join(domain.name for domain in settings.domains) or "none"
        raise ConfigError(f"{arguments.config}: no domain {arguments.domain}; those of [[domains]]: {known}") from None


def _heartbeat(settings: RemusSettings, _: argparse.Namespace) -> int:
    heartbeat.run(settings, Notifier())
    return 0


def _receive(settings: RemusSettings, _: argparse.Namespace) -> int:
    return receive.serve(settings, socket.socket(fileno=0))


def _connect(settings: RemusSettings, _: argparse.Namespace) -> int:
    return send.connect(settings)


def _send(settings: RemusSettings, domain: DomainSettings) -> int:
    return send.send(settings, domain)


def _release(settings: RemusSettings, domain: DomainSettings) -> int:
    return _told(primary.release(settings, domain))


def _hand_over(settings: RemusSettings, domain: DomainSettings) -> int:
    return _told(primary.hand_over(settings, domain))


def _settle(settings: RemusSettings, domain: DomainSettings) -> int:
    return _told(primary.settle(settings, domain))


def _told(done: tuple[int, primary.Evidence]) -> int:
    code, evidence = done
    print(json.dumps(evidence))
    return code


def _take_over(settings: RemusSettings, domain: DomainSettings) -> int:
    answer = Control(settings.host.run_dir, domain.name).ask("take-over", _ORDER_LIMIT_S)
    print(json.dumps(answer))
    return 0 if answer.get("ok") is True else 1


def _clean(settings: RemusSettings, arguments: argparse.Namespace) -> int:
    if arguments.domain is None:
        return giving_up.clean(settings.host.run_dir)
    given_up = giving_up.give_up(settings.host.run_dir, _domain(settings, arguments).name)
    print(json.dumps({"act": "clean", "domain": arguments.domain, **asdict(given_up)}))
    return 0


def _status(settings: RemusSettings, arguments: argparse.Namespace) -> int:
    seen = status.read(settings)
    print(json.dumps(asdict(seen)) if arguments.json else "\n".join(status.lines(seen)))
    return 0 if seen.is_well else _UNPROTECTED
