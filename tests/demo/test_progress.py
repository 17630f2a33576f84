from demo import progress
from demo.timeline import PLAN, Kind, Pace, exactly

METRICS = {"cpu_ratio": 0.257, "memory_ratio": 0.031, "network_bytes_per_s": 1.4e8, "disk_ops_per_s": 812.4}
FORECAST = {"p_failed_within": 0.7812, "evidence": 3.36, "horizon_s": 5.0}


def test_a_line_says_phase_time_left_metrics_forecast_and_interval() -> None:
    told = progress.told(METRICS, FORECAST, alarm_from=2.9)
    line = progress.line(131.2, Kind.RAMP, "12 s left", told, 25)
    assert " ".join(line.split()) == (
        "2:11 second ramp 12 s left CPU 26% mem 3% net 140 MB/s disk 812/s"
        " P(failed) 0.78 evidence 3.4 (alarm 2.9) interval 25 ms"
    )


def test_what_is_not_known_is_a_dash() -> None:
    told = progress.told({"cpu_ratio": 0.5}, {}, None)
    assert " ".join(told.split()) == "CPU 50% mem -% net - MB/s disk -/s P(failed) - evidence -"


def test_a_forecast_without_a_model_is_not_shown() -> None:
    assert "P(failed) -" in progress.told(METRICS, FORECAST, None)


def test_lines_fit_a_wide_terminal() -> None:
    told = progress.told(METRICS, FORECAST, alarm_from=2.9)
    assert len(progress.line(131.2, Kind.AFTER, "<45 s left", told, 500)) <= 135


def test_time_left() -> None:
    assert progress.left(exactly(70), 58.4) == "12 s left"
    assert progress.left(exactly(70), 70.3) == "0 s left"
    assert progress.left(Pace(12, 25, 8), 5) == "<20 s left"


def test_every_phase_but_a_first_peak_is_introduced() -> None:
    silent = [kind for kind in Kind if progress.introduction(0, kind, PLAN) is None]
    assert silent == [Kind.FIRST_PEAK]
    assert "CPU, then disk" in str(progress.introduction(120, Kind.RAMP, PLAN))
    assert str(progress.introduction(67, Kind.PEAK, PLAN)).lstrip().startswith("1:07 ")


def test_a_change_of_the_interval() -> None:
    assert progress.change(134, 500, 25) == " 2:14  >>> the interval goes from 500 to 25 ms"
