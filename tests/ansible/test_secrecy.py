"""Tasks that write secrets: what Ansible prints of them in a dry run that shows differences."""

from pathlib import Path

import pytest

from tests.ansible.playing import play
from tests.ansible.rendering import ROOT

SECRET = "Uieph5aiNgohQu4aeph8Ochu6ahxo3Oo"
LAB = ("-i", str(ROOT / "inventory" / "lab"))
UNITS = {"name": "Reload", "ansible.builtin.meta": "noop", "listen": "Python_app units changed"}
"""Stands in for the handler of another role."""
FILES = ("a.password", "f.key", "f.pem")
"""What a controller has; the secret is in each."""
GIVEN = {
    "ansible_connection": "local",
    "ansible_become": False,
    "influxdb_site": {"tokens": {"grafana": SECRET}},
    "remus_pacer_path": "/bin/true",
    "__remus_fence_host": {"stdout": "ssh-ed25519 AAAA"},
}


@pytest.mark.parametrize(
    ("role", "entry", "host", "inputs"),
    [
        ("agent", "configure", "a", {"agent_store_token": SECRET}),
        ("predictor", "configure", "m", {"predictor_store_token": SECRET}),
        ("grafana", "configure", "m", {"grafana_admin_password": SECRET, "grafana_secret_key": SECRET}),
        (
            "grafana",
            "configure",
            "m",
            {"grafana_tls_certificate_path": "FOLDER/f.pem", "grafana_tls_key_path": "FOLDER/f.key"},
        ),
        ("influxdb", "certificate", "m", {"influxdb_tls_key_path": "FOLDER/f.key"}),
        ("etcd", "configure", "f", {"etcd_secrets_path": "FOLDER"}),
        ("remus", "configure", "a", {"remus_lease_secrets_path": "FOLDER", "__remus_key": SECRET}),
    ],
)
def test_no_secret_is_shown(tmp_path: Path, role: str, entry: str, host: str, inputs: dict[str, str]) -> None:
    for name in FILES:
        (tmp_path / name).write_text(f"-----BEGIN-----\n{SECRET}\n-----END-----\n")
    given = {name: value.replace("FOLDER", str(tmp_path)) for name, value in inputs.items()}
    tasks = [{"ansible.builtin.import_role": {"name": role, "tasks_from": entry}}]
    plays = [{"hosts": host, "gather_facts": False, "tasks": tasks, "handlers": [UNITS]}]
    words = (*LAB, "--check", "--diff")
    told = {"lab_secrets": str(tmp_path / "made"), **GIVEN, **given}
    ran = play(tmp_path, "", plays, told, *words, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"changed": true' in ran.stdout
    assert SECRET not in ran.stdout + ran.stderr
