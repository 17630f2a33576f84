"""What every command of Hefery has in common: in, words on a command line; out, one verb done, and an exit code."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from telemetry.settings import ConfigError, Section, load
from telemetry.store import StoreError

Do = Callable[[argparse.Namespace], int]

_GIVEN: Final = ""
"""Stands for --check-config without a file: no path, not even ".", is this."""
_INTERRUPTED: Final = 130
"""What a shell tells of a command that Ctrl-C has ended: 128 + SIGINT."""
_REFUSALS: Final[tuple[type[Exception], ...]] = (ConfigError, StoreError, OSError)


def parser(prog: str, description: str, epilog: str, config: Path) -> argparse.ArgumentParser:
    """A parser that reads its settings from `config`, or another file that it is told of."""
    made = argparse.ArgumentParser(
        prog=prog, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.set_defaults(verb=None)
    made.add_argument("--config", type=Path, default=config, metavar="FILE", help="settings (default: %(default)s)")
    made.add_argument(
        "--check-config", nargs="?", const=_GIVEN, metavar="FILE", help="check the settings, do nothing else"
    )
    return made


def add_verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, do: Do, help_text: str
) -> argparse.ArgumentParser:
    """A verb, which may also be followed by --config."""
    verb = verbs.add_parser(name, help=help_text, description=help_text)
    verb.set_defaults(verb=do)
    # without a default here, so that what stood before the verb stays
    verb.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="settings")
    return verb


def main(
    parser: argparse.ArgumentParser,
    words: Sequence[str] | None,
    settings: type[Section],
    refusals: tuple[type[Exception], ...],
) -> int:
    """Do one verb; 0 where it was done, 1 with one sentence where it could not be (OSError and `refusals` say why)."""
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        if arguments.check_config is not None:
            return _check(Path(arguments.check_config or arguments.config), settings)
        if arguments.verb is None:
            parser.error("a verb is missing, such as run; --help lists them")
        return int(arguments.verb(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (*_REFUSALS, *refusals) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1


def _check(path: Path, settings: type[Section]) -> int:
    load(path, settings)
    print(f"{path}: good")
    return 0
