"""What if fluid-host is given an image for a better processor? It says so and does not run it."""

from pathlib import Path

from fluid.cpufeatures import LEVELS, feature_bits
from fluid.emulator import Ending
from fluid.event_types import Boot, Error
from host_machine import SECONDS, Hosts, image_of
from kernel_wants import wants


def test_a_processor_that_lacks_something(hosts: Hosts, tmp_path: Path) -> None:
    """No processor has a feature of bit 63."""
    level = feature_bits(LEVELS[hosts.build[0]].features)
    image = wants(image_of(hosts.build, None), 1 << 63 | level, tmp_path / "wants.img")
    host = hosts.start(image)
    assert host.wait_end(SECONDS) is Ending.FAIL
    [error] = host.events
    assert isinstance(error, Error)
    assert (error.code, error.text) == (
        "E-CPU-05",
        f"processor: bit63 expected, not found; take an image of a lower target than "
        f"{hosts.build[0]}",
    )


def test_a_processor_that_has_all(hosts: Hosts, tmp_path: Path) -> None:
    image = wants(image_of(hosts.build, None), feature_bits(["sse2"]), tmp_path / "wants.img")
    assert isinstance(hosts.boot(image).events[0], Boot)
