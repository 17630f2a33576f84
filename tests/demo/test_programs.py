import subprocess
from pathlib import Path

from demo import programs
from demo.site import Site


def test_the_commands_accept_what_the_site_wrote(tmp_path: Path) -> None:
    site = Site.create(tmp_path)
    for command in (programs.agent_run(site), programs.predictor(site, "run")):
        program, config = command[0], command[command.index("--config") + 1]
        told = subprocess.run([program, "--check-config", config], capture_output=True, text=True, check=False)
        assert (told.returncode, told.stderr) == (0, "")
