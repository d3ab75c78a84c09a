"""Makes the seeds of the fuzz targets and their dictionaries from what other tests use:

    PYTHONPATH=site_scons:tests:tests/host:tests/fuzz .venv/bin/python tests/fuzz/make_corpus.py

The result is committed, so that a fuzz run needs no mtools and a finding starts from the same bytes
everywhere; run it again when a format changes. Seeds are small: a mutation then hits something that
matters. (The models that some targets open are made at the start of a run: fuzz_models.py.)
"""

import base64
import struct
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import gguf

import fat16_image
import models
from fluid import registry
from fluid.random_blocks import K_TYPES
from hostcc import ROOT
from module_build import make_mod

FUZZ = ROOT / "tests" / "fuzz"
RIGHT_SUMS = 2  # flags of fuzz_module.c: checksums are made right
IS_REGISTRY = 1

TEXTS = [
    b"",
    b"the dog was very happy",
    b" the  cat\n\n and\t12345 'll don't",
    "größe 你好 Ωя 😀 é".encode(),
    b"\xff\xfe\xe2\x96\x81 <|im_start|>user <s> </s> <unk> <0x0A>",
    b"a" * 70 + b" " * 40,
]


def save(target: str, name: str, data: bytes) -> None:
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def save_words(target: str, words: list[bytes]) -> None:
    """A dictionary of libFuzzer, one quoted word a line."""
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in words]
    (FUZZ / f"{target}.dict").write_text("\n".join(lines) + "\n")


def small_spm() -> tuple[list[str], list[float], list[int]]:
    """A vocabulary with few of the bytes and words."""
    kind = gguf.TokenType
    mark = "\u2581"
    words = [mark, "t", "h", "e", "d", "o", "g", "th", mark + "th", mark + "the", mark + mark]
    tokens = [*models.SPECIAL_SPM, "<0x0A>", "<0xE4>", *words]
    types = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL, kind.BYTE, kind.BYTE]
    types += [kind.NORMAL] * len(words)
    return tokens, [-float(rank) for rank in range(len(tokens))], [int(t) for t in types]


def small_bpe() -> tuple[list[str], list[str]]:
    space = models.byte_symbols()[ord(" ")]
    letters = ["t", "h", "e", "d", "o", "g", space]
    merges = [(space, "t"), (space + "t", "h"), (space + "th", "e"), (space, space)]
    tokens = [*models.SPECIAL_BPE, *letters, *(a + b for a, b in merges)]
    return tokens, [f"{a} {b}" for a, b in merges]


def make_mixed(path: Path, quant: str) -> None:
    """Rows of this "K" type, which need 256 columns, between others of two bytes."""

    def kind_of(name: str) -> str:
        return quant if "ffn_down" in name else "BF16" if "ffn" in name else "F16"

    shape = {"dim": 8, "ffn": 256, "layers": 1, "heads": 1, "kv_heads": 1, "ctx": 64}
    models.make_tiny(path, kind_of=kind_of, **shape)  # type: ignore[arg-type]


def make_gguf(folder: Path) -> None:
    """One small model per tokenizer and type of weights."""
    shape: dict[str, Any] = {
        "dim": 32,
        "ffn": 32,
        "layers": 1,
        "heads": 2,
        "kv_heads": 1,
        "ctx": 64,
    }
    kinds = [("spm", "F32"), ("spm", "Q4_0"), ("spm", "Q8_0"), ("bpe", "F16"), ("bpe", "Q4_1")]
    kinds += [("spm", "Q5_0"), ("bpe", "Q5_1"), ("spm", "BF16")]
    with mock.patch.object(models, "spm_vocabulary", small_spm):
        with mock.patch.object(models, "bpe_tokens", small_bpe):
            for tokenizer, quant in kinds:
                name = f"{tokenizer}-{quant.lower()}"
                path = folder / f"{name}.gguf"
                narrow = quant in ("F32", "F16", "BF16")  # the others come in blocks of 32
                extra = {"dim": 8, "ffn": 12, "heads": 1} if narrow else {}
                models.make_tiny(path, quant, tokenizer, narrow, **{**shape, **extra})
                save("gguf", name, path.read_bytes())
            for quant in K_TYPES:
                path = folder / f"mixed-{quant.lower()}.gguf"
                make_mixed(path, quant)
                save("gguf", path.stem, path.read_bytes())
    alignment = folder / "alignment.gguf"
    with mock.patch.object(models, "spm_vocabulary", small_spm):
        models.make_tiny(
            alignment, "Q4_0", **shape, edit=lambda writer: writer.add_custom_alignment(64)
        )
    save("gguf", "alignment", alignment.read_bytes())
    keys = [
        *(f"llama.{k}" for k in ("block_count", "embedding_length", "feed_forward_length")),
        *(f"llama.attention.{k}" for k in ("head_count", "head_count_kv", "key_length")),
        *(f"tokenizer.ggml.{k}" for k in ("tokens", "scores", "token_type", "merges", "pre")),
        *("general.alignment", "general.architecture", "llama.rope.freq_base", "llama.vocab_size"),
        *("tokenizer.chat_template", "tokenizer.ggml.model", "llama.rope.dimension_count"),
        *("tokenizer.ggml.add_bos_token", "tokenizer.ggml.eos_token_id", "rope_freqs.weight"),
        *("token_embd.weight", "output.weight", "blk.0.attn_q.weight", "output_norm.weight"),
    ]
    save_words("gguf", [key.encode() for key in keys] + [b"\xff" * 8, b"\0" * 8])


def make_texts() -> None:
    """Texts of every kind."""
    for target in ("bpe", "spm"):
        for n, text in enumerate(TEXTS):
            save(target, f"text-{n}", bytes([n % 4 | n % 2 << 2]) + text)
    for n, text in enumerate(TEXTS):
        save("chat", f"turn-{n}", bytes([n % 8 | n % 6 << 3]) + b"Be brief.\0" + text)
        save("chat", f"first-{n}", bytes([7 | n % 6 << 3]) + b"<|im_end|>\0" + text)
    common = [b"\xe2\x96\x81", b"  ", b"'ll", b" the", b"\xf0\x9f\x98\x80", b"\xc2\xa0", b"12"]
    special = [name.encode() for name in (*models.SPECIAL_BPE, *models.SPECIAL_SPM)]
    save_words("bpe", common + special)
    save_words("spm", [*common, *special, b"<0x0A>"])
    save_words("chat", [*common, *special, b"user\n", b"assistant\n", b"system\n", b"\n"])


def without_times(entry: bytes) -> bytes:
    """A folder's entry; those of long names have other fields in this place."""
    long_name = entry[11] == 0x0F
    return entry if long_name else entry[:13] + bytes(7) + entry[20:22] + bytes(4) + entry[26:]


def make_fat16() -> None:
    """The sectors of a small partition, in the order of `placed` in fuzz_fat16.c."""
    fats, fat_sectors, root_entries, total = 2, 17, 16, 4400
    root = 1 + fats * fat_sectors
    data = root + 1
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "fat.img"
        volume = fat16_image.Volume(path, sectors=total, cluster=1, root=root_entries)
        volume.mkdir("D")
        volume.put(b"GGUF" + bytes(700), "MODEL.GGUF")
        volume.put(b"x", "D/long name of ä.txt")
        content = path.read_bytes()
    (reserved,) = struct.unpack_from("<H", content, 14)
    (size,) = struct.unpack_from("<H", content, 22)
    assert (reserved, size) == (1, fat_sectors), "mkfs.vfat laid it out in another way"
    placed = [0, 1, 1 + fat_sectors, *range(root, data + 5)]
    sectors = [content[n * 512 : (n + 1) * 512] for n in placed]
    for n in (3, 4):  # the root and the folder: no times, so that the seeds stay the same
        sectors[n] = b"".join(without_times(sectors[n][at : at + 32]) for at in range(0, 512, 32))
    save("fat16", "small", b"".join(sectors))
    one = bytearray(b"".join(sectors))
    one[16] = 1  # a single FAT, as long as both together were
    struct.pack_into("<H", one, 22, 2 * fat_sectors)
    save("fat16", "one-fat", bytes(one))


def make_modules(folder: Path) -> None:
    """Modules of both machines, and a registry of two variants."""
    plain = make_mod(folder / "plain.mod")
    initialiser = make_mod(folder / "initialiser.mod", flags=["-DWITH_INITIALISER"])
    tiny_source = folder / "tiny.c"
    tiny_source.write_text('#include "fluid/module.h"\nFLUID_EXPORT int lone(void) { return 1; }\n')
    tiny = make_mod(folder / "tiny.mod", [tiny_source], name="lone")
    better = make_mod(folder / "better.mod", [tiny_source], name="lone", target="x86-64-v2", rank=1)
    for path in (plain, initialiser, tiny):
        for how in (0, RIGHT_SUMS):
            if how or path == tiny:
                save("module", f"{path.stem}-{how}", bytes([how]) + path.read_bytes())
    out = folder / "registry.bin"
    registry.build_registry([tiny, better], out)
    for how in (IS_REGISTRY, IS_REGISTRY | RIGHT_SUMS):
        save("module", f"registry-{how}", bytes([how]) + out.read_bytes())


def make_console() -> None:
    lines = [
        b"hello",
        b"/help",
        b"/score once upon a time",
        b"/score base64:" + base64.b64encode(bytes(range(40))),
        b"/complete 20 the",
        b"/complete 4294967296 base64:====",
        b"/set temperature 0.7\r/set seed 18446744073709551615\r/set max_tokens 12\r/show",
        b"/set system base64:AAAA\r/set events off\r/set events on\r/set nothing\r",
        "größe 你好 😀".encode() + b"\x08\x08\x17\x15again\x03x\r\n\r\n\x1b[A\x1b[D\t",
        b"/set stop the\r/set stop \r/set top_p 0.9\r/set repeat_penalty 1.1\r/set shift on\r"
        b"/set lookup off\rthe",
        b"/unknown \xff\xfe",
        b"\r",
    ]
    for n, line in enumerate(lines):
        save("console", f"line-{n}", line)
    words = [b"/score ", b"/complete ", b"/set ", b"/show", b"/help", b"base64:", b"temperature "]
    words += [b"seed ", b"max_tokens ", b"system ", b"events on", b"events off", b"\x1b[A", b"\r\n"]
    words += [b"stop ", b"top_k ", b"top_p ", b"min_p ", b"repeat_penalty ", b"repeat_last_n "]
    save_words("console", words)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_gguf(folder)
        make_modules(folder)
    make_texts()
    make_fat16()
    make_console()


if __name__ == "__main__":
    main()
