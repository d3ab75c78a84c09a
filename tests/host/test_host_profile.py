"""/profile in fluid-host: the calls of the machine, without samples; and what measuring costs."""

from engine_driver import smollm2
from fluid.event_types import Hotness
from fluid.machine import Machine
from guests import TinyModel
from host_machine import Hosts, hosts_of
from test_host_runner import FAST
from test_profile import (
    check_benchmark,
    check_calls,
    check_reset,
    check_table,
    measured,
    one,
)

WORTH = 0.01  # of the time that is measured


def test_calls(hosts: Hosts, tiny: TinyModel) -> None:
    host = hosts.model(tiny("Q8_0"))
    event = check_calls(host)
    assert (event.samples.taken, event.samples.idle, event.samples.lost) == (0, 0, 0)
    assert event.samples.stacks == [] and event.overhead > 0
    check_reset(host)
    check_table(host)


def test_benchmarks(hosts: Hosts) -> None:
    check_benchmark(hosts.model(None))


def recording(event: Hotness) -> float:
    """The part of the evaluation's cycles that recording the calls inside it took."""
    inside = sum(f.calls for f in event.functions if f.caller == "llama")
    return inside * event.overhead / one(event, "llama_eval").cycles


def completed(host: Machine) -> Hotness:
    host.command("/profile reset")
    host.command("/complete 8 The history of bread begins", 600)
    return measured(host)


def test_what_measuring_costs() -> None:
    """Numbers of one run, so that the machine's speed is in both."""
    with hosts_of(FAST) as hosts:
        event = completed(hosts.model(smollm2(), mem=512))
    assert one(event, "llama_eval").calls == 8
    assert 0 < recording(event) < WORTH
