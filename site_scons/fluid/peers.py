"""`scons bench runner=host peers=1`: the same model files, threads and numbers of tokens in
fluid-host and in llama.cpp, in turns, with the bandwidth of memory in between.

All processes live while a model is measured; only the one that is asked works, the others wait for
a line. So what else the machine does meets all of them alike, and ratios are those of a round.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluid.emulator import HOST
from fluid.errors import FluidError
from fluid.event_types import Boot, Error, Prompt, Ready, Speed
from fluid.hosted import MIB, machine_memory
from fluid.machine import Machine
from fluid.peer_process import Bandwidth, Peer
from fluid.peer_results import SCHEMA, Counted, Model, Peers, Work, table, write_peers
from fluid.peer_setup import set_up
from fluid.progress import show_progress, show_result
from fluid.training import BOOT_SECONDS, STEP_SECONDS

ROUNDS = 5
BUFFER_MIB = 512  # for the bandwidth; far more than any cache
CONTEXT = 1024  # tokens, of the peer
PROGRAM = Path(__file__).with_name("peer_llamacpp.py")


@dataclass(frozen=True)
class Asked:
    """Tokens of a prompt, new ones, and which of them a number is about."""

    name: str
    prompt: int
    new: int
    counted: Counted


WORKS = (
    Asked("decode", 16, 32, "new"),
    Asked("prompt 64", 64, 0, "prompt"),
    Asked("prompt 512", 512, 0, "prompt"),
    Asked("greedy 16+16", 16, 16, "both"),
)


@dataclass(frozen=True)
class Programs:
    """Command lines: of the peer without model, threads and context; of the bandwidth without
    threads and size."""

    peer: Sequence[str]
    bandwidth: Sequence[str]


def token_bytes(path: Path) -> int:
    """Of all weights that a token reads: of an embedding that is not the output matrix as well,
    one row. E-PEER-05 when it is no model."""
    import gguf  # here: a null build does without

    try:
        tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
        embedding = tensors["token_embd.weight"]
        size = sum(int(tensor.n_bytes) for tensor in tensors.values())
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise FluidError(
            "E-PEER-05",
            f"a GGUF file of a model expected at {path}, found: {error!r}; make it again",
        ) from error
    if "output.weight" not in tensors:
        return size
    rows = int(embedding.shape[1])
    return size - int(embedding.n_bytes) + int(embedding.n_bytes) // rows


def check_memory(size: int) -> None:
    """E-PEER-04 unless both programs fit into the machine: each holds the file and its weights as
    its kernels want them."""
    wanted = 5 * size // MIB + BUFFER_MIB + 1024
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    if wanted > found:
        raise FluidError(
            "E-PEER-04",
            f"{wanted} MiB of memory expected for both programs, found {found}; take a smaller "
            "model with model=FILE",
        )


def _boot(machine: Machine) -> None:
    events = machine.wait_for(Ready, BOOT_SECONDS) + machine.wait_for(Prompt, BOOT_SECONDS)
    if any(isinstance(event, Ready) and event.model is None for event in events):
        told = next((e.text for e in events if isinstance(e, Error)), "nothing about it")
        raise FluidError("E-PEER-05", f"the model was expected to run in fluid-host, found: {told}")


def ask_machine(machine: Machine, asked: Asked) -> Speed:
    """Its /speed. E-PEER-06 when it tells of anything else."""
    events = machine.command(f"/speed {asked.prompt} {asked.new}", STEP_SECONDS)
    found = [event for event in events if isinstance(event, Speed)]
    if not found:
        told = next((f"{e.code} {e.text}" for e in events if isinstance(e, Error)), "nothing")
        raise FluidError(
            "E-PEER-06", f"a speed event expected behind /speed, found {told}; rebuild the image"
        )
    return found[0]


def _counted(asked: Asked, prompt_ns: int, new_ns: int) -> int:
    return {"prompt": prompt_ns, "new": new_ns, "both": prompt_ns + new_ns}[asked.counted]


def measure_model(
    name: str,
    path: Path,
    machine: Machine,
    peer: Peer,
    bandwidth: Bandwidth,
    progress: Callable[[str], None],
    works: Sequence[Asked] = WORKS,
    rounds: int = ROUNDS,
) -> Model:
    """In turns; the first round warms caches and is not counted."""
    reads: list[int] = []
    ours: dict[str, list[int]] = {asked.name: [] for asked in works}
    theirs: dict[str, list[int]] = {asked.name: [] for asked in works}
    _boot(machine)
    for number in range(rounds + 1):
        progress(f"{name}, round {number} of {rounds}")
        reads.append(bandwidth.measure().per_second)
        for asked in works:
            speed = ask_machine(machine, asked)
            ours[asked.name].append(_counted(asked, speed.prompt_ns, speed.new_ns))
            taken = peer.measure(speed.ids[: asked.prompt], asked.new)
            theirs[asked.name].append(_counted(asked, taken.prompt_ns, taken.new_ns))
    return Model(
        name=name,
        file_bytes=path.stat().st_size,
        token_bytes=token_bytes(path),
        bandwidth=reads[1:],
        works=[
            Work(
                name=asked.name,
                prompt=asked.prompt,
                new=asked.new,
                counted=asked.counted,
                ours=ours[asked.name][1:],
                peer=theirs[asked.name][1:],
            )
            for asked in works
        ],
    )


def run_peers(
    images: Sequence[tuple[Path, Path]],
    result: Path,
    programs: Programs,
    *,
    target: str,
    tag: str,
    threads: int,
    program: str,
    works: Sequence[Asked] = WORKS,
    rounds: int = ROUNDS,
) -> Peers:
    """Measures the models, (file, image with it) each, and writes `result`."""
    models = []
    for path, image in images:
        size = path.stat().st_size
        check_memory(size)
        options: dict[str, Any] = {"mem": machine_memory(size), "smp": threads, "emulator": program}
        peer = Peer("llama.cpp", [*programs.peer, str(path), str(threads), str(CONTEXT)])
        words = [*programs.bandwidth, str(threads), str(BUFFER_MIB)]
        with (
            Machine(image, target=target, runner=HOST, life=STEP_SECONDS * 8, **options) as machine,
            peer,
            Bandwidth("read_bandwidth", words) as bandwidth,
        ):
            models.append(
                measure_model(
                    path.stem, path, machine, peer, bandwidth, show_progress, works, rounds
                )
            )
        boot = next(event for event in machine.events if isinstance(event, Boot))
    found = Peers(
        schema=SCHEMA,
        target=tag,
        runner=HOST,
        cpu=boot.cpu,
        build=boot.build,
        threads=threads,
        peer=f"{peer.started.ready} {peer.started.version}",
        models=models,
    )
    write_peers(found, result)
    return found


def bench_peers(
    images: Sequence[tuple[Path, Path]],
    result: Path,
    environment: Path,
    bandwidth: str,
    *,
    target: str,
    tag: str,
    threads: int,
    program: str,
) -> int:
    """The command: sets the peer up, measures, prints the table; 0 when all went well."""
    try:
        python = set_up(environment, lambda text: print(f"  PEER    {text}", flush=True))
        programs = Programs([str(python), str(PROGRAM)], [bandwidth])
        found = run_peers(
            images, result, programs, target=target, tag=tag, threads=threads, program=program
        )
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    show_result(table(found))
    return 0
