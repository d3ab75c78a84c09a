"""What the machine finds on its PCI buses is what QEMU put there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from guests import Machines, codes, said
from qemu_images import image_of

DEVICES = {
    "pc": ["virtio-blk-pci,drive=other,addr=9", "pci-bridge,id=bridge,chassis_nr=2,addr=10"],
    "q35": ["pcie-root-port,id=root,bus=pcie.0,chassis=1", "virtio-blk-pci,drive=other,bus=root"],
}
HOST_BRIDGE = "06.00"  # its BARs are left alone

Function = tuple[str, str, str, frozenset[tuple[int, str, int, int]]]


def told(text: str) -> set[Function]:
    """(place, ids, class, BARs) of every function that /pci prints."""
    found = set()
    for part in re.split(r"(?m)^  (?=\S)", text)[1:]:
        place, ids, class_code = re.match(r"(\S+) (\S+) class (\w\w\.\w\w)", part).groups()  # type: ignore[union-attr]
        bars = re.findall(r"BAR (\d): (\w+) 0x(\w+), 0x(\w+) bytes", part)
        regions = {(int(n), kind, int(at, 16), int(size, 16)) for n, kind, at, size in bars}
        found.add((place, ids, class_code, frozenset(regions)))
    return found


def functions(bus: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for device in bus["devices"]:
        yield device
        if "pci_bridge" in device:
            yield from functions(device["pci_bridge"])


def known(device: dict[str, Any]) -> Function:
    """The same of QEMU's answer to query-pci."""
    place = f"{device['bus']:02x}:{device['slot']:02x}.{device['function']}"
    ids = f"{device['id']['vendor']:04x}:{device['id']['device']:04x}"
    number = device["class_info"]["class"]
    class_code = f"{number >> 8:02x}.{number & 0xFF:02x}"
    kinds = {"io": "ports", "memory": "memory"}
    regions = {
        (region["bar"], kinds[region["type"]], region["address"], region["size"])
        for region in device["regions"]
        if region["bar"] < 6 and region["address"] not in (-1, 0) and class_code != HOST_BRIDGE
    }
    return place, ids, class_code, frozenset(regions)


@pytest.mark.parametrize(
    ("machine", "way"),
    [("q35", "memory at 0xb0000000, buses 0 to 255"), ("pc", "ports")],
)
def test_the_table_is_qemus(machines: Machines, target: str, machine: str, way: str) -> None:
    image = image_of(target, None)
    drive = ["-drive", f"if=none,id=other,format=raw,snapshot=on,file={image}"]
    devices = [word for device in DEVICES[machine] for word in ("-device", device)]
    guest = machines.boot(target, image, mem=256, machine=machine, extra=(*drive, *devices))
    assert codes(guest.events) == ["E-FAT-18"]
    text = said(guest, "/pci")
    assert text.startswith(f"PCI through {way}\n")
    buses = guest.qmp.execute("query-pci")
    wanted = {known(device) for bus in buses for device in functions(bus)}
    assert len(wanted) > 5
    assert told(text) == wanted
    assert "capabilities: 0x" in text
