"""The benchmark physics_step, the module itself in fluid-host, against the same in numpy."""

import pytest

from fluid.event_types import Bench
from guests import codes
from host_machine import Hosts
from numpy_physics import checksum

SIZES = (16, 128, 1024)


@pytest.mark.parametrize("size", SIZES)
def test_golden_checksums(hosts: Hosts, size: int) -> None:
    """Bit for bit the same, whatever the target."""
    host = hosts.model(None)
    host.send_line(f"/bench physics_step {size} 3")
    [bench] = [e for e in host.wait_for(Bench, 120) if isinstance(e, Bench)]
    assert (bench.name, bench.size, bench.calls) == ("physics_step", size, 3)
    assert bench.checksum == checksum(size)


def test_a_size_that_is_none(hosts: Hosts) -> None:
    host = hosts.model(None)
    host.send_line("/bench physics_step 17")
    while "E-BENCH-02" not in codes(host.events):
        host.read_event(60)
