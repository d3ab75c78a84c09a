"""The runners, and QEMU as one of them: its command line, and the meaning of its exit status.

Exit codes are owned together with src/include/fluid/exit.h; tests/unit/test_runner.py holds the two
against each other.
"""

from __future__ import annotations

import enum
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from fluid.errors import FluidError

EXIT_PORT = 0xF4
EXIT_PASS = 0x10
EXIT_FAIL = 0x11
EXIT_PANIC = 0x12

ACCELERATORS = ("tcg", "kvm")
BOCHS = "bochs"  # another emulator, bochs.py
HOST = "host"  # no emulator: fluid-host, hosted.py
RUNNERS = ("auto", *ACCELERATORS, BOCHS, HOST)  # that may be asked for; auto: probe.py decides
MACHINES = ("q35", "pc")
DEFAULT_MEM = 1024  # MiB
IDE_DISK = "ide-hd,bus=ide.0"  # the first AHCI port on q35, the first IDE channel on pc
VIRTIO_DISK = "virtio-blk-pci"


@dataclass(frozen=True)
class Emulated:
    """How a target runs in QEMU: on a CPU that has what the target is named for, and not more.
    For x86-64-v4 there is none without KVM: TCG knows no AVX-512, Bochs does."""

    program: str
    cpu: str


EMULATED = {
    "i686": Emulated("qemu-system-i386", "Nehalem,-lm,-syscall"),
    "x86-64": Emulated("qemu-system-x86_64", "qemu64"),
    "x86-64-v2": Emulated("qemu-system-x86_64", "Nehalem"),
    "x86-64-v3": Emulated("qemu-system-x86_64", "Haswell-noTSX"),
    "x86-64-v4": Emulated("qemu-system-x86_64", "max"),
}


class Ending(enum.Enum):
    """How a machine ended."""

    PASS = "was switched off"
    FAIL = "stopped with a fatal error"
    PANIC = "panicked"
    RESET = "was reset (reboot or triple fault)"
    TIMEOUT = "did not end in time"
    KILLED = "was killed, by its runner or by the system for want of memory"
    CRASHED = "crashed in its emulator"
    EMULATOR = "could not be emulated"


def ending_of(status: int) -> Ending:
    """The ending for QEMU's exit status; isa-debug-exit makes it 2 * code + 1."""
    codes = {
        2 * EXIT_PASS + 1: Ending.PASS,
        2 * EXIT_FAIL + 1: Ending.FAIL,
        2 * EXIT_PANIC + 1: Ending.PANIC,
        0: Ending.RESET,
    }
    if status < 0:
        return Ending.KILLED if -status == signal.SIGKILL else Ending.CRASHED
    return codes.get(status, Ending.EMULATOR)


def ending_text(ending: Ending, status: int | None) -> str:
    """How a machine ended in words, with the signal that ended its emulator."""
    if ending is not Ending.CRASHED or status is None:
        return ending.value
    try:
        name = signal.Signals(-status).name
    except ValueError:  # a real-time signal
        name = f"signal {-status}"
    return f"{ending.value}: {name}"


@dataclass(frozen=True)
class MachineConfig:
    """One machine. The image is not modified, unless it is `writable`.

    Of the options below smp, runner=host knows reboot, extra, within, emulator and writable;
    runner=bochs all of these but the last, and cpu, one of Bochs' names. Its extra are lines of a
    bochsrc.
    """

    image: Path
    target: str
    runner: str = "tcg"
    machine: str = "q35"
    mem: int = DEFAULT_MEM  # MiB
    smp: int = 1
    cpu: str | None = None
    disk: str = IDE_DISK  # QEMU's device that holds the image
    controller: str | None = None  # the device whose bus that is on, if the board has none
    exit_device: bool = True  # isa-debug-exit; without it, a machine ends as a real one does
    icount: str | None = None  # "shift=3": deterministic time stamp counter
    reboot: bool = False  # True: a reset boots again; False: it ends the machine
    extra: tuple[str, ...] = ()
    within: tuple[str, ...] = ()  # runner=host: a program, with its options, that runs fluid-host
    emulator: str | None = None  # another program than the target's QEMU or fluid-host
    writable: bool = False  # True: what the machine writes is in the image afterwards

    def __post_init__(self) -> None:
        _one_of("target", self.target, tuple(EMULATED))
        _one_of("runner", self.runner, RUNNERS[1:])
        _one_of("machine", self.machine, MACHINES)
        if self.runner == HOST and (self.cpu, self.icount) != (None, None):
            raise FluidError(
                "E-RUN-01", "runner=host expected without cpu and icount, found one of them"
            )
        if self.runner == BOCHS and (self.smp, self.icount) != (1, None):
            raise FluidError(
                "E-RUN-01", "runner=bochs expected without smp and icount, found one of them"
            )
        if self.runner == BOCHS and self.writable:
            raise FluidError(
                "E-RUN-01", "runner=bochs expected without writable, found it; it runs a copy"
            )
        if not self.image.is_file():
            raise FluidError(
                "E-RUN-02", f"disk image expected at {self.image}, none found; build it with scons"
            )


def command(config: MachineConfig, serial_fd: int, qmp_fd: int) -> list[str]:
    """QEMU's argument list; the serial port and QMP arrive as connected sockets."""
    emulated = EMULATED[config.target]
    program = config.emulator or emulated.program
    if shutil.which(program) is None:
        raise FluidError("E-RUN-03", f"{program} expected, not found; run ./sconsw to install it")
    default_cpu = "host" if config.runner == "kvm" else emulated.cpu
    file = str(config.image.resolve()).replace(",", ",,")  # QEMU's escape for a comma
    argv = [program, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std"]
    argv += ["-machine", config.machine, "-accel", config.runner]
    argv += ["-cpu", config.cpu or default_cpu, "-m", f"{config.mem}M", "-smp", str(config.smp)]
    argv += ["-chardev", f"socket,id=serial,fd={serial_fd}", "-serial", "chardev:serial"]
    argv += ["-chardev", f"socket,id=qmp,fd={qmp_fd}", "-mon", "chardev=qmp,mode=control"]
    snapshot = "off" if config.writable else "on"
    argv += ["-drive", f"if=none,id=disk,format=raw,snapshot={snapshot},file={file}"]
    argv += ["-device", config.controller] if config.controller else []
    argv += ["-device", f"{config.disk},drive=disk,bootindex=0"]
    if config.exit_device:
        argv += ["-device", f"isa-debug-exit,iobase={EXIT_PORT:#x},iosize=0x04"]
    if config.icount is not None:
        argv += ["-icount", config.icount]
    if not config.reboot:
        argv += ["-no-reboot"]
    return argv + list(config.extra)


def _one_of(option: str, value: str, valid: tuple[str, ...]) -> None:
    if value not in valid:
        raise FluidError("E-RUN-01", f"{option}={value}: expected one of {', '.join(valid)}")
