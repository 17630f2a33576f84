"""The fence's configuration: what it refuses, and that the role writes one that it takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from fence.settings import BadSettings, load

GOOD: dict[str, Any] = {
    "hosts": {"a": "192.0.2.11", "b": "2001:db8::12"},
    "guests": ["web1"],
    "images_path": "/srv/hefery",
    "views_path": "/srv/hefery-fence",
    "state_path": "/var/lib/hefery-fence",
    "exports_path": "/etc/exports.d",
    "etab_path": "/var/lib/nfs/etab",
    "nfsd_path": "/proc/fs/nfsd",
    "limit_s": 5,
}


def write(folder: Path, values: object) -> Path:
    path = folder / "fence.json"
    path.write_text(json.dumps(values))
    return path


def test_a_good_one_is_loaded(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD))
    assert settings.view("a", "web1") == Path("/srv/hefery-fence/a/web1")
    assert (settings.guests, settings.limit_s) == (("web1",), 5.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hosts": {"a": "192.0.2.11", "b": "192.0.2.11"}}, "two have the same address"),
        ({"hosts": {"a": "192.0.2.0/24"}}, "does not appear to be an IPv4 or IPv6 address"),
        ({"hosts": {"a/..": "192.0.2.11"}}, "'a/..' is not a name"),
        ({"hosts": ["a"]}, "items"),
        ({"guests": ["web 1"]}, "'web 1' is not a name"),
        ({"guests": ["."]}, "'.' is not a name"),
        ({"images_path": "srv"}, "images_path: 'srv' is not an absolute path"),
        ({"views_path": "/srv/hefery/views"}, "neither may be inside the other"),
        ({"limit_s": 0}, "limit_s"),
        ({"more": 1}, "unknown or missing: more"),
    ],
)
def test_a_bad_one_is_refused_by_name(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = write(tmp_path, GOOD | change)
    with pytest.raises(BadSettings) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"hosts": {}}'])
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fence.json"
    path.write_text(text)
    with pytest.raises(BadSettings):
        load(path)
