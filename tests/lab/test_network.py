from lab.landscape import HOSTS
from lab.network import cut_rules, inside


def test_a_cut_is_between_ports_so_that_guests_are_cut_with_their_host() -> None:
    rules = cut_rules([(HOSTS["a"], HOSTS["b"]), (HOSTS["m"], HOSTS["a"])])
    assert [line.split("forward ")[1] for line in rules.splitlines()] == [
        "iifname tap-a oifname tap-b counter drop",
        "iifname veth-m oifname tap-a counter drop",
    ]


def test_runs_inside_a_namespace() -> None:
    assert inside("hefery-x", "nc", "-w", "2") == ["ip", "netns", "exec", "hefery-x", "nc", "-w", "2"]
