"""The role nfs_server: guests that run are not switched between a share and a fence."""

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES
from tests.ansible.rendering import evaluate


@pytest.mark.parametrize(
    ("clients", "said", "is_good"),
    [
        (["192.0.2.11"], [], True),
        (["192.0.2.11"], ["used", "running"], True),
        (["192.0.2.11"], ["fenced"], False),
        ([], [], True),
        ([], ["used"], False),
        ([], ["used", "fenced"], True),
    ],
)
def test_a_share_is_neither_taken_from_guests_nor_led_past_a_fence(
    clients: list[str], said: list[str], is_good: bool
) -> None:
    tasks = yaml.safe_load((ROLES / "nfs_server" / "tasks" / "main.yml").read_text())
    (condition,) = (task["ansible.builtin.assert"]["that"] for task in tasks if "ansible.builtin.assert" in task)
    probe = {"stdout_lines": said}
    assert evaluate(condition, "nfs_server", nfs_server_clients=clients, __nfs_server_probe=probe) is is_good
