from pathlib import Path

import psutil

from demo.site import CALM_MS, DOMAIN, PROTECTIVE_MS, Site


def test_configuration_is_what_agent_and_predictor_accept(tmp_path: Path) -> None:
    site = Site.create(tmp_path)
    assert site.agent.guest.enabled
    assert site.agent.guest.domain == DOMAIN
    assert set(site.agent.guest.interfaces) == set(psutil.net_if_addrs())
    assert [site.agent.xen.enabled, site.agent.machine.enabled, site.agent.checkpoints.enabled] == [False] * 3
    assert site.agent.governor.primary == "assumed"
    assert site.agent.governor.domains == site.predictor.series.domains == (DOMAIN,)


def test_both_agree_on_store_and_intervals(tmp_path: Path) -> None:
    site = Site.create(tmp_path)
    assert site.agent.store == site.predictor.store
    assert site.agent.governor.protective_interval_ms == site.predictor.policy.protective_ms == PROTECTIVE_MS
    assert PROTECTIVE_MS < CALM_MS == site.predictor.policy.calm_ms <= site.agent.governor.max_interval_ms


def test_all_files_lie_in_the_run_folder_whatever_it_is_called(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted" ümlaut & <tag>'
    folder.mkdir()
    site = Site.create(folder)
    paths = (
        site.agent.store.path if site.agent.store.kind == "sqlite" else None,
        site.agent.spool.path,
        site.predictor.model.folder,
        site.order_file,
    )
    assert all(path is not None and path.is_relative_to(folder) for path in paths)
