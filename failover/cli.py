"""The command hefery-remus: in, words on a command line; out, one verb done, and an exit code."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from failover.config import ConfigError, load
from failover.errors import FailoverError
from failover.settings import DomainSettings, RemusSettings

_CONFIG: Final = Path("/etc/hefery/remus.toml")
_GIVEN: Final = ""
_INTERRUPTED: Final = 130
"""What a shell tells of a command that Ctrl-C has ended: 128 + SIGINT."""
_MISCONFIGURED_S: Final = 10.0
"""Until who guards is tried again whose settings cannot be used: each try comes before all else that the host runs."""

_VERBS: Final = {
    "heartbeat": "tell the peers that this host lives, and hear whether they do; until ended",
    "receive": "serve one call of a peer; the connection is standard input",
    "connect": "pass a peer's call, on standard input and output, on to the receiver here",
    "send": "carry what `xl remus` writes to the peer's receiver",
    "release": "end a replication safely: the peer gives its copy up first",
    "settle": "after `xl remus` has ended: nothing of it is left, the guest goes on",
    "let-out": "let out what was held of a domain's output, once no copy of it may take over",
    "start": "start a domain that is nowhere, under its lease",
    "hand-over": "destroy the domain here and let the peer take over",
    "maintenance": "hand all domains over, and refuse new copies; exit code 1 where any is left",
    "take-over": "wake the copy that is here",
    "clean": "end copies whose receivers have died",
    "status": "print domains, copies and peers; exit code 3 where a domain here is not protected",
    "guard": "let a domain run only while this host holds its lease; until ended",
    "minder": "pause a domain whose guard did not renew in time; until ended",
    "fence-link": "keep one session with the fence for all calls of this host; until ended",
    "lease": "show who holds the guests' leases",
}
_OF_A_DOMAIN: Final = ("send", "release", "settle", "let-out", "start", "hand-over", "take-over", "guard", "minder")
_IN_REAL_TIME: Final = ("guard", "minder")

_EPILOG: Final = """\
Units run: heartbeat (every host), receive and clean (where a copy arrives), send, release, settle and let-out (where
the guest runs), guard, minder and fence-link (where a guest may run), connect (forced command of the peer's ssh key).
For people:
  hefery-remus status                     what runs here, what arrives
  hefery-remus release --domain web1      end its replication; exit code 4: the peer could not be asked
  hefery-remus start --domain web1        with leases: start it here, where neither host has it
  hefery-remus hand-over --domain web1    let the peer take over, on purpose
  hefery-remus maintenance                empty this host; --end: it takes copies again
  hefery-remus clean --domain web1        end a copy here that nobody wants
  hefery-remus take-over --force --domain web1
                                          wake the copy here: only when the other host is dead, or both will run;
                                          with leases it takes nothing from a host that holds one
"""


def main(words: Sequence[str] | None = None) -> int:
    """Parse, wire, and do one verb; 0 where it was done, 1 with one sentence where it could not be."""
    parser = _parser()
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        if arguments.check_config is not None:
            path = Path(arguments.check_config or arguments.config)
            load(path)
            print(f"{path}: good")
            return 0
        if arguments.verb is None:
            parser.error("a verb is missing, such as status; --help lists them")
        return _do(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (FailoverError, OSError) as error:
        print(f"hefery-remus: {error}", file=sys.stderr)
        if isinstance(error, ConfigError) and arguments.verb in _IN_REAL_TIME and "INVOCATION_ID" in os.environ:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            time.sleep(_MISCONFIGURED_S)
        return 1


def _do(arguments: argparse.Namespace) -> int:
    settings = load(arguments.config)
    # each verb's own module alone: a start costs an emulated host seconds, and a guest waits for some of them
    verb = import_module(f"failover.{arguments.verb.replace('-', '_')}")
    if arguments.verb == "start":
        return int(verb.run(settings, _domain(settings, arguments), is_peer_off=arguments.peer_is_off))
    if arguments.verb in _OF_A_DOMAIN:
        return int(verb.run(settings, _domain(settings, arguments)))
    return int(verb.run(settings, arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hefery-remus",
        description="Replicates domains with Xen Remus, and takes them over.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, default=_CONFIG, metavar="FILE", help="settings (default: %(default)s)")
    parser.add_argument(
        "--check-config", nargs="?", const=_GIVEN, metavar="FILE", help="check the settings, do nothing else"
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb")
    made = {name: verbs.add_parser(name, help=text, description=text) for name, text in _VERBS.items()}
    show = made["lease"].add_subparsers(metavar="show", required=True).add_parser("show")
    show.set_defaults(verb="lease-show")
    for verb in (*made.values(), show):
        # without a default here, so that what stood before the verb stays
        verb.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="settings")
    for name in _OF_A_DOMAIN:
        made[name].add_argument("--domain", metavar="NAME", required=True)
    made["take-over"].add_argument("--force", action="store_true", required=True, help="the other host is dead")
    made["start"].add_argument(
        "--peer-is-off", action="store_true", help="the other host, which does not answer, is off"
    )
    made["maintenance"].add_argument("--end", action="store_true", help="the host takes copies again")
    made["clean"].add_argument("--domain", metavar="NAME", help="end this domain's copy, whatever its receiver does")
    for told in (made["status"], show):
        told.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _domain(settings: RemusSettings, arguments: argparse.Namespace) -> DomainSettings:
    for domain in settings.domains:
        if domain.name == arguments.domain:
            return domain
    known = ", ".join(domain.name for domain in settings.domains) or "none"
    raise ConfigError(f"{arguments.config}: no domain {arguments.domain}; those of [[domains]]: {known}")


if __name__ == "__main__":
    sys.exit(main())
