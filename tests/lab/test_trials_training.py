import pytest

from lab.landscape import ROOT
from lab.trials.loop import CONFIG
from lab.trials.parts.training import each_minute

TEMPLATE = ROOT / "roles" / "predictor" / "templates" / "training.cron.j2"


@pytest.mark.parametrize("schedule", ["17 3 * * *", "@daily", "*/5 1-3 * * mon,tue"])
def test_the_roles_crontab_is_made_to_train_each_minute(schedule: str) -> None:
    crontab = TEMPLATE.read_text(encoding="utf-8").replace("{{ predictor_training_schedule }}", schedule)
    lines, before = each_minute(crontab).splitlines(), crontab.splitlines()
    assert lines[:-1] == before[:-1]
    assert lines[-1].startswith("* * * * * hefery (")
    assert lines[-1].replace(f" --config {CONFIG}", "") == before[-1].replace(schedule, "* * * * *")
    assert f"hefery-predictor --config {CONFIG} train" in lines[-1]


@pytest.mark.parametrize("crontab", ["", "17 3 * * * root hefery-predictor train\n", "17 3 * * * hefery true\n"])
def test_another_crontab_is_refused(crontab: str) -> None:
    with pytest.raises(ValueError, match="not as expected"):
        each_minute(crontab)
