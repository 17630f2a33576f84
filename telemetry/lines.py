"""InfluxDB's line protocol: in, points; out, lines, with text so encoded that reading gives back every character."""

import re

from telemetry.point import Point, Value

_TEXT_CODES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_TEXTS = {code: character for character, code in _TEXT_CODES.items()}


def to_line(point: Point) -> str:
    """The point as one line, without its end."""
    tags = "".join(f",{name}={_escape(text, ',= ')}" for name, text in point.key)
    fields = ",".join(f"{name}={_literal(value)}" for name, value in point.fields.items())
    return f"{point.measurement}{tags} {fields} {point.time_ns}"


def encode_text(text: str) -> str:
    r"""Text on one line: backslash, newline and carriage return become \\, \n and \r.

    The server would keep them, but its answers in CSV lose carriage returns and add them to newlines.
    """
    return re.sub(r"[\\\n\r]", lambda found: _TEXT_CODES[found[0]], text)


def decode_text(text: str) -> str:
    """The inverse of `encode_text`."""
    return re.sub(r"\\[\\nr]", lambda found: _TEXTS[found[0]], text)


def _literal(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}i"
        case float():
            return repr(value)
        case str():
            return f'"{_escape(encode_text(value), chr(34) + chr(92))}"'


def _escape(text: str, special: str) -> str:
    return "".join(f"\\{character}" if character in special else character for character in text)
