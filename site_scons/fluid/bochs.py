"""Bochs as a runner: the emulator with AVX-512. Its configuration, and the meaning of its log.

Bochs ends with status 1 whatever happened, and halts where the machine halts. What the machine
wrote to the exit port (src/include/fluid/exit.h) and that it was reset stand in the log, line by
line as it happens; bochs_session.py follows it and ends with the status that QEMU would have.

See bochsrc(5). Bochs 2.7 as Debian packages it has the debugger built in, hence `-rc`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from fluid.emulator import EXIT_PORT, MachineConfig
from fluid.errors import FluidError

PROGRAM = "bochs"
SYSTEM_BIOS = Path("/usr/share/bochs/BIOS-bochs-latest")  # Debian: bochsbios
VGA_BIOS = Path("/usr/share/vgabios/vgabios.bin")  # Debian: vgabios
GUEST_IPS = 50_000_000  # instructions per second of the machine's time, not of ours

# For each target a CPU that has what it is named for, and of the levels above not all.
CPUS = {
    "i686": "core_duo_t2400_yonah",
    "x86-64": "athlon64_clawhammer",
    "x86-64-v2": "corei5_lynnfield_750",
    "x86-64-v3": "corei7_haswell_4770",
    "x86-64-v4": "corei7_icelake_u",
}

# Bochs finds out the geometry of a disk that is whole cylinders of 16 heads and 63 sectors.
CYLINDER = 16 * 63 * 512

DISK, RC, BOCHSRC, LOG, SAID = "disk.img", "rc", "bochsrc", "log", "said"  # the session's files

# The module `unmapped` reports what no device takes; nothing else of Bochs is that talkative.
_EXIT = re.compile(rf"unmapped: 8-bit write to {EXIT_PORT:04x} = ([0-9a-f]{{2}})")
_RESET = "bx_pc_system_c::Reset("  # once at power-on
_PANIC = re.compile(r">>PANIC<< (.*)")


def session_command(config: MachineConfig, serial_fd: int) -> list[str]:
    """The argument list of bochs_session.py; the serial port arrives as a connected socket."""
    program = config.emulator or PROGRAM
    if shutil.which(program) is None:
        raise FluidError(
            "E-RUN-03", f"{program} expected, not found; run ./sconsw runner=bochs to install it"
        )
    for bios, package in ((SYSTEM_BIOS, "bochsbios"), (VGA_BIOS, "vgabios")):
        if not bios.is_file():
            raise FluidError(
                "E-RUN-03",
                f"{bios} expected, not found; run ./sconsw runner=bochs to install {package}",
            )
    argv = [sys.executable, "-m", "fluid.bochs_session", program, str(config.image.resolve())]
    argv += [config.cpu or CPUS[config.target], str(config.mem)]
    argv += ["reboot" if config.reboot else "no-reboot", str(serial_fd)]
    return [*argv, *config.extra]


def configuration(folder: Path, cpu: str, mem: int, port: int, extra: list[str]) -> str:
    """The bochsrc: disk and log in `folder`, COM1 as a client of a local TCP port."""
    lines = [
        "plugin_ctrl: speaker=0",  # would look for a sound card
        "config_interface: textconfig",
        "display_library: term",  # without a terminal it draws to nowhere; rfb would open a port
        f"romimage: file={SYSTEM_BIOS}",
        f"vgaromimage: file={VGA_BIOS}",
        f"cpu: model={cpu}, count=1, ips={GUEST_IPS}, reset_on_triple_fault=1",
        "clock: sync=none",  # as fast as it goes
        f"memory: guest={mem}, host={mem}",
        f'ata0-master: type=disk, mode=flat, path="{folder / DISK}", cylinders=0',
        "boot: disk",
        f"com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}",
        f"log: {folder / LOG}",
        "panic: action=fatal",
        "error: action=report",
        "info: action=report",
        "debug: action=ignore, unmapped=report",
        *extra,
    ]
    return "".join(f"{line}\n" for line in lines)


def copy_disk(image: Path, disk: Path) -> None:
    """A private copy, sparse, padded to whole cylinders: Bochs writes to the disk that it is given.

    E-RUN-17 when there is no room.
    """
    copy = ["cp", "--sparse=always", "--reflink=auto", "--", str(image), str(disk)]
    done = subprocess.run(copy, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise FluidError(
            "E-RUN-17",
            f"room for a copy of {image} expected in {disk.parent}, found: {done.stderr.strip()}; "
            "set TMPDIR to a folder with more",
        )
    size = -(-disk.stat().st_size // CYLINDER) * CYLINDER
    with disk.open("r+b") as file:
        file.truncate(size)


@dataclass
class Log:
    """What Bochs has logged so far."""

    exit_code: int | None = None  # written to the exit port
    resets: int = 0  # since power-on
    panics: list[str] = field(default_factory=list)  # of Bochs, not of the machine
    _rest: str = ""  # an unfinished line
    _powered: bool = False

    def feed(self, text: str) -> None:
        """Takes in the next piece of the file."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if found := _EXIT.search(line):
                self.exit_code = int(found[1], 16)
            elif _RESET in line:
                self.resets += self._powered
                self._powered = True
            elif found := _PANIC.search(line):
                self.panics.append(found[1])
