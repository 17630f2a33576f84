import pytest

from demo.timeline import PLAN, Disturbance, Load, Pace, Stage, exactly


@pytest.mark.parametrize("disturbance", [PLAN.first, PLAN.second])
def test_disturbances_fit_on_the_machine(disturbance: Disturbance) -> None:
    loads = [stage.load for stage in disturbance.stages]
    assert sum(load.memory for load in loads) <= 1
    assert sum(load.cpu for load in loads) <= 1
    assert all(stage.at_s <= disturbance.ramp_s for stage in disturbance.stages)
    assert [stage.at_s for stage in disturbance.stages] == sorted(stage.at_s for stage in disturbance.stages)


def test_the_second_begins_otherwise_than_the_first_and_brings_new_things() -> None:
    assert PLAN.first.under_way(0) == ["memory"]
    assert PLAN.second.under_way(0) == ["CPU"]
    assert {"disk", "network"} <= set(PLAN.second.under_way(PLAN.second.ramp_s)) - set(PLAN.first.under_way(60))


def test_it_takes_less_than_four_minutes_where_calm_is_learned_at_once() -> None:
    disturbances = (PLAN.first, PLAN.second)
    fixed_s = PLAN.learning_s + PLAN.recovery_s + sum(each.ramp_s + each.peak_s for each in disturbances)
    start_training_and_drawing_s = 12
    assert fixed_s + PLAN.quiet.most_s + PLAN.after.most_s + start_training_and_drawing_s <= 240


def test_what_a_disturbance_is_made_of() -> None:
    stages = (Stage(0, Load(cpu=0.1)), Stage(2, Load(disk=1, network=2)), Stage(4, Load(cpu=0.1, memory=0.5)))
    disturbance = Disturbance(ramp_s=4, peak_s=1, stages=stages)
    assert str(disturbance) == "CPU, then disk, network, memory"
    assert disturbance.under_way(2) == ["CPU", "disk", "network"]


def test_a_phase_waits_for_a_long_interval_but_not_for_ever() -> None:
    pace = Pace(least_s=10, most_s=40, steady_s=8)
    assert not pace.is_over(9.9, long_for_s=9.9)
    assert not pace.is_over(12, long_for_s=7.9)
    assert pace.is_over(12, long_for_s=8)
    assert pace.is_over(40, long_for_s=0)


def test_an_exact_phase_waits_for_nothing() -> None:
    assert not exactly(5).is_over(4.9, long_for_s=100)
    assert exactly(5).is_over(5, long_for_s=0)
