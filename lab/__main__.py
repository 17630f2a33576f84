"""The command `python -m lab`: in, a verb; out, a landscape changed or shown, and an exit code."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from lab import actions, console, network, remote, status
from lab.errors import LabError
from lab.landscape import HOSTS, Instance, host, instance
from lab.trials import cli as trials

_PLAIN: Final[Mapping[str, Callable[[Instance], None]]] = MappingProxyType(
    {"up": actions.up, "down": actions.down, "forget": actions.forget, "heal": network.heal}
)
"""Verbs that need no more words."""


def main(words: Sequence[str] | None = None) -> int:
    """Parse, call one function, say what went wrong."""
    arguments = _parser().parse_args(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # what was begun is put in order, as for Ctrl-C
    try:
        return _call(arguments)
    except LabError as error:
        sys.stderr.write(f"lab: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("lab: stopped; `up` goes on from here, `down` ends what runs\n")
        return 130


def _call(arguments: argparse.Namespace) -> int:
    lab = instance()
    match arguments.verb:
        case "build":
            print(actions.build(lab))
        case "up" | "down" | "forget" | "heal" as verb:
            _PLAIN[verb](lab)
        case "ssh":
            remote.log_in(lab, host(arguments.host), arguments.command)
        case "kill":
            actions.kill(lab, host(arguments.host))
        case "cut":
            network.cut(lab, host(arguments.source), host(arguments.target), one_way=arguments.one_way)
        case "snapshot":
            actions.snapshot(lab, arguments.name)
        case "restore":
            actions.restore(lab, arguments.name)
        case "console":
            console.attach(lab, host(arguments.host))
        case "status":
            print(status.report(lab))
        case "test":
            return trials.test(arguments)
    return 0


def _parser() -> argparse.ArgumentParser:
    environment = "HEFERY_LAB names the instance. With LAB_BASE=plain new hosts are a plain Debian, without Xen."
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__, epilog=environment)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    names = ", ".join(HOSTS)
    verbs.add_parser("build", help="build the images that new hosts start from, unless the cache has them")
    verbs.add_parser("up", help="start what is not running, building images first where there are none")
    verbs.add_parser("down", help="end all hosts; their disks stay")
    verbs.add_parser("forget", help="down, and throw the disks away")
    ssh = verbs.add_parser("ssh", help="log in, or run a command")
    ssh.add_argument("host", metavar="HOST", help=names)
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    kill = verbs.add_parser("kill", help="a host's power fails")
    kill.add_argument("host", metavar="HOST", help=names)
    cut = verbs.add_parser("cut", help="drop what two hosts send each other")
    cut.add_argument("source", metavar="A")
    cut.add_argument("target", metavar="B")
    cut.add_argument("--one-way", action="store_true", help="only what A sends to B")
    verbs.add_parser("heal", help="take all cuts away")
    trials.add_arguments(
        verbs.add_parser("test", help="let hosts fail, and write what happened to build/lab/report.json")
    )
    snapshot = verbs.add_parser("snapshot", help="freeze a, b and f for a moment and save them")
    snapshot.add_argument("name", metavar="NAME")
    restore = verbs.add_parser("restore", help="start a, b and f again as they were saved")
    restore.add_argument("name", metavar="NAME")
    serial = verbs.add_parser("console", help="a machine's serial line, for when its network is cut")
    serial.add_argument("host", metavar="HOST", help=names)
    verbs.add_parser("status", help="what runs, what is cut, which snapshots there are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
