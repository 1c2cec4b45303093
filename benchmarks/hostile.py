"""Ways to damage a valid file: as bytes, or as what it is, with its sums and lengths made right again."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import pickle
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Damage = Callable[[Path, random.Random], None]

SCRIPT = "<script>alert(1)</script>"
WORDS = [
    "", "a\0b", "../../etc/passwd", "/", "/etc", "~", "/dev/zero", SCRIPT, "$x^{$", "\ud800", "😀\u202e\r\n",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2**31, 2**63, -(2**64), 10**400, 0.5, -0.0, 1e-320, 1e39, 1e308, float("nan"), float("inf"),
]  # fmt: skip
HOSTILE: list[Any] = [
    *WORDS, *NUMBERS, None, True, False, "x" * 100_000, "linear:0:4:9", "cosine:0:1e308:1", "nan",
    "DEEP", "DIGITS", [], {}, [[]], [None], [1e9] * 3, [1] * 2000, {"a": {}}, {SCRIPT: SCRIPT}, {"x": [0, 1]},
    {"factors": ["x", "y"], "sigma": 0},
]  # fmt: skip
CELLS = [
    *WORDS[:-2], "nan", "inf", "1e400", "1_0", "1_0.5", "١", "0x1", "9" * 5000, "x" * 130_000, "x" * 140_000,
    '"', '"a\nb"', "=1+1", "\ufeff", "-0", "1e-320", "True", "1,2", "\r", "\u2028",
]  # fmt: skip
SHAPES = [
    (0,), (), (1,), (2, 2), (12, 2), (80, 3), (12, 16, 16), (12, 16, 16, 3), (0, 2), (3, 0), (0, 16, 16),
]  # fmt: skip
TYPES = [
    "f2", "f4", "f8", "g", "c8", "i1", "i8", "u8", "?", "M8[s]", "m8[D]", "U3", "S3", "V4", "V0", "i4,f4",
    ">f8",
]  # fmt: skip
PROMISED = [-1, 0, 1, 2, 12, 16, 2**20, 2**31, 2**33, 2**40, 2**62, 2**64, 10**400, 1.5, "x", None, (1,)]
PROMISED_TYPES = [
    "|O", "<f4", "|V0", "|V2000000000", "<U500000000", "|S0", ">c16", "", "x" * 99, "O,O", "|u1",
]  # fmt: skip
HEADERS = ["(" * 5000, "{" * 300, "[" * 9000 + "]" * 9000, "__import__('os')", "1" * 9000, "", "{1:2}"]
MEMBERS = ["../../up.npy", "/abs.npy", "images", "images.npz", "x", "a\0.npy", "é.npy", "x" * 9000]
TENSORS = ["{}.x", "step", "optimiser/adam/0/x", "optimiser/adam/99/step", "model/x"]
TENSOR_TYPES = {"F32": ("I32", "U32"), "F64": ("I64", "C64"), "I64": ("F64", "U64", "C64"), "F16": ("BF16",)}
CHUNKS = [b"zTXt", b"iTXt", b"tEXt", b"tRNS", b"PLTE", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"gAMA", b"pHYs"]
FOREIGN = ["eps", "gif", "tiff", "bmp", "webp", "ppm", "ico", "tga", "pcx", "sgi", "im"]
EXTREMES = [0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


class Payload:
    """Makes the file FUZZ_MARKER if it is ever unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (os.environ["FUZZ_MARKER"], "w"))


def spoil(path: Path, rng: random.Random) -> str:
    """Damage a file in place, in a way that fits its kind, and say how."""
    own: list[Damage] = {
        ".json": [replaced, replaced, replaced],
        ".jsonl": [replaced, replaced],
        ".npy": [strange, promised],
        ".npz": [member, member, bomb],
        ".safetensors": [tensors, tensors, tensors],
        ".png": [chunk, foreign],
        ".csv": [cells, cells],
        ".gz": [unpacked, unpacked],
        ".h5": [outside, rearranged],
        ".h5ad": [rearranged, rearranged],
        ".xlsx": [sheet, sheet],
    }.get(path.suffix, [])
    chosen = pickled if rng.random() < 0.02 else rng.choice([noisy, noisy, odd, *own])
    chosen(path, rng)
    return chosen.__name__


# Bytes


def noise(data: bytes, rng: random.Random) -> bytes:
    """Bytes with one to four random changes, more often near the start and the end."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        size = len(data)
        near = (rng.randrange(size + 1), min(size, rng.randrange(200)), max(0, size - rng.randrange(200)))
        at, length = rng.choice(near), rng.choice((1, 2, 8, 100, size // 3 + 1))
        piece, word = data[at : at + length], struct.pack(rng.choice("<>") + "Q", rng.choice(EXTREMES))
        cut = word[: rng.choice((1, 2, 4, 8))] if rng.random() < 0.5 else word[-rng.choice((1, 2, 4)) :]
        flipped = bytes([piece[0] ^ (1 << rng.randrange(8))]) if piece else b""
        change = rng.randrange(7)
        if change < 2:
            new = (flipped, cut)[change]
            data = data[:at] + new + data[at + len(new) :]
        elif change == 2:
            data = data[:at]
        else:
            new = (b"", piece + piece, rng.randbytes(length), bytes(length))[change - 3]
            data = data[:at] + new + data[at + length :]
    return data


def noisy(path: Path, rng: random.Random) -> None:
    """Bits flipped, numbers made extreme, pieces cut out, doubled, made random or zero, the end cut off."""
    path.write_bytes(noise(path.read_bytes(), rng))


def odd(path: Path, rng: random.Random) -> None:
    """Something else in the place of the file: nothing, a folder, a pipe, a link."""
    path.unlink()
    kind = rng.randrange(6)
    if kind == 1:
        path.mkdir()
    elif kind == 2:
        os.mkfifo(path)
    elif kind > 2:
        path.symlink_to(("/dev/zero", path.name, os.environ["FUZZ_MARKER"])[kind - 3])


def pickled(path: Path, rng: random.Random) -> None:
    """A pickle that would make a file, as it is or within an array or an archive."""
    archive = io.BytesIO()
    np.savez(archive, images=np.array([Payload()], dtype=object), mean=np.zeros(3))
    objects = npy(np.array([Payload()], dtype=object))
    path.write_bytes(rng.choice((objects, archive.getvalue(), pickle.dumps(Payload()))))


def unpacked(path: Path, rng: random.Random) -> None:
    """What is in a gzip file damaged; or much more of it than a small file promises."""
    data = noise(gzip.decompress(path.read_bytes()), rng)
    path.write_bytes(gzip.compress(bytes(2**28) if rng.random() < 0.02 else data, 1))


# JSON and CSV


def replaced(path: Path, rng: random.Random) -> None:
    """A value, a key or a line of JSON replaced by something hostile."""
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    at = rng.randrange(len(lines))
    value = json.loads(lines[at])
    for _ in range(rng.choice((1, 1, 1, 3))):
        value = other(value, rng)
    deep = "[" * 100_000 + "]" * 100_000
    lines[at] = json.dumps(value).replace('"DEEP"', deep).replace('"DIGITS"', "9" * 5000)
    path.write_text("\n".join(lines) + "\n")


def other(value: Any, rng: random.Random) -> Any:
    """A JSON value with something in it replaced, lost or added."""
    if isinstance(value, dict | list) and value and rng.random() < 0.9:
        value = value.copy()
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if rng.random() < 0.1:
            del value[key]
        elif isinstance(value, dict) and rng.random() < 0.1:
            value[rng.choice(("", SCRIPT, "a\0", "data_dir", "name", "x", "$^"))] = rng.choice(HOSTILE)
        else:
            value[key] = other(value[key], rng)
        return value
    if isinstance(value, int) and rng.random() < 0.3:
        return rng.choice((value + 1, -value, value * 1000, float(value), str(value)))
    return rng.choice(HOSTILE)


def cells(path: Path, rng: random.Random) -> None:
    """Cells of a CSV file replaced, lines lost or repeated."""
    lines = [line.split(",") for line in path.read_text().splitlines()]
    for _ in range(rng.choice((1, 1, 3))):
        line = rng.choice(lines)
        line[rng.randrange(len(line))] = rng.choice(CELLS)
    if rng.random() < 0.1:
        lines = lines[: rng.randrange(3)] + lines[1:] * rng.choice((0, 1, 200))
    path.write_text("\n".join(map(",".join, lines)))


# Arrays and archives


def npy(array: Any) -> bytes:
    """An array as the bytes of an .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def strange_array(data: bytes, rng: random.Random) -> np.ndarray:
    """An array of a shape, a type or values that nobody expects, half the time in the shape of `data`."""
    own = tuple(int(n) for n in re.search(rb"'shape': \(([\d, ]*)\)", data)[1].split(b",") if n.strip())
    shape = own if rng.random() < 0.5 else rng.choice(SHAPES)
    array = np.zeros(shape, dtype=rng.choice(TYPES))
    flat, kind = array.reshape(-1), array.dtype.kind
    if kind in "iu" and flat.size:
        flat[:] = np.arange(flat.size) % 5
        flat[rng.randrange(flat.size)] = rng.choice((np.iinfo(array.dtype).max, np.iinfo(array.dtype).min))
    elif kind == "f" and flat.size:
        flat[:] = np.arange(flat.size) % 5
        top = np.finfo(array.dtype).max
        for value in rng.sample(
            (top, -top, np.nan, np.inf, np.finfo(array.dtype).tiny, 0.5), rng.randrange(3)
        ):
            flat[rng.randrange(flat.size)] = value
    elif kind in "US":
        flat[:] = rng.choice(("a", "1", "", "é" if kind == "U" else "e"))
    return array


def headed(data: bytes, rng: random.Random) -> bytes:
    """An .npy file whose header promises something else."""
    length = struct.unpack("<H", data[8:10])[0]
    header, body = data[10 : 10 + length].decode("latin1"), data[10 + length :]
    shape = tuple(rng.choice(PROMISED) for _ in range(rng.choice((0, 1, 2, 3, 4, 40))))
    change = rng.randrange(4)
    if change == 0:
        header = re.sub(r"'shape': \(.*?\)", f"'shape': {shape!r}", header)
    elif change == 1:
        header = re.sub(r"'descr': '.*?'", f"'descr': {rng.choice(PROMISED_TYPES)!r}", header)
    else:
        header = rng.choice(HEADERS) if change == 2 else header.replace("False", "True")
    return data[:8] + struct.pack("<H", len(header)) + header.encode("latin1") + body


def strange(path: Path, rng: random.Random) -> None:
    """Another array than expected."""
    path.write_bytes(npy(strange_array(path.read_bytes(), rng)))


def promised(path: Path, rng: random.Random) -> None:
    """A header that does not fit what follows."""
    path.write_bytes(headed(path.read_bytes(), rng))


def member(path: Path, rng: random.Random) -> None:
    """A member of an archive damaged, renamed, lost or doubled, and the archive written anew."""
    with zipfile.ZipFile(path) as archive:
        members = [[name, archive.read(name)] for name in archive.namelist()]
    one, change = rng.choice(members), rng.randrange(8)
    ways = (lambda: npy(strange_array(one[1], rng)), lambda: headed(one[1], rng), lambda: noise(one[1], rng))
    if change == 0:
        one[0] = rng.choice(MEMBERS)
    elif change == 1:
        members.remove(one)
    elif change == 2:
        members.append([one[0], rng.choice(ways)()])
    else:
        one[1] = npy(np.array([Payload()], dtype=object)) if change == 3 else rng.choice(ways)()
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", rng.choice((0, 0, 8, 12, 14))) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in members:
            archive.writestr(name, data)
    if rng.random() < 0.2:
        noisy(path, rng)


def bomb(path: Path, rng: random.Random) -> None:
    """A small archive of arrays with many rows of zeros."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    count = rng.choice((10**9, 10**10)) if rng.random() < 0.02 else 10**5
    with zipfile.ZipFile(path, "w", 8, compresslevel=1) as archive:
        for name, data in members.items():
            length = struct.unpack("<H", data[8:10])[0]
            header = re.sub(rb"\((\d+)", b"(%d" % count, data[10 : 10 + length])
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data[:8] + struct.pack("<H", len(header)) + header)
                for _ in range(0 if count > 10**9 else count // 10**5):
                    file.write(bytes(10**5))


def tensors(path: Path, rng: random.Random) -> None:
    """A safetensors file whose header tells of other tensors, or with a number in it made extreme."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    name = rng.choice(["step", *header]) if "step" in header else rng.choice(list(header))
    one, change = header[name], rng.randrange(7)
    if change == 0:
        header[name] = other(one, rng)
    elif change == 1:
        header[rng.choice(TENSORS).format(name)] = header.pop(name)
    elif change == 2:
        one["dtype"] = rng.choice((*TENSOR_TYPES.get(one["dtype"], ()), "F4", "I8"))
    elif change == 3:
        size = int(np.prod(one["shape"]))
        one["shape"] = rng.choice(([size], [1, size], one["shape"][::-1], [1, *one["shape"]], [0], [2**63]))
    elif change == 4:
        at = 4 * rng.randrange(max(1, len(body) // 4))
        body[at : at + 4] = np.float32(rng.choice((np.nan, np.inf, 3e38, -3e38, 1e-40, 1e9))).tobytes()
    elif change == 5:
        at = one["data_offsets"][0]
        body[at : at + 8] = struct.pack("<Q", rng.choice(EXTREMES))
    else:
        header["__metadata__"] = rng.choice(HOSTILE)
    text = json.dumps(header).replace('"DEEP"', "[" * 9999 + "]" * 9999).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def outside(path: Path, rng: random.Random) -> None:
    """An HDF5 file whose array lies in another file."""
    import h5py

    other_file = Path(os.environ["FUZZ_MARKER"]).with_name("outside.h5")
    with h5py.File(path, "r") as file:
        images = file["images" if "images" in file else "run/table"][:]
    with h5py.File(other_file, "w") as file:
        file["images"] = images
        place = [(str(other_file), file["images"].id.get_offset(), images.nbytes)]
    kind, layout = rng.randrange(3), h5py.VirtualLayout(images.shape, images.dtype)
    layout[:] = h5py.VirtualSource(other_file, "images", images.shape, images.dtype)
    with h5py.File(path, "w") as file:
        if kind == 0:
            file["images"] = h5py.ExternalLink(other_file, "images")
        elif kind == 1:
            file.create_dataset("images", images.shape, images.dtype, external=place)
        else:
            file.create_virtual_dataset("images", layout)


def rearranged(path: Path, rng: random.Random) -> None:
    """An array of an HDF5 file missing, of another shape or type, and an attribute that is hostile."""
    import h5py

    with h5py.File(path, "r+") as file:
        found: list[str] = []
        file.visit(found.append)
        name = rng.choice(found)
        attributes = file[name].attrs
        with contextlib.suppress(TypeError, ValueError, OverflowError, RuntimeError):  # what HDF5 cannot hold
            if rng.random() < 0.4:
                keys = [*attributes, "_index", "column-order", "encoding-type", "MATLAB_class"]
                attributes[rng.choice(keys)] = rng.choice(HOSTILE)
                return
            del file[name]
            shape, kind = rng.choice(SHAPES), rng.choice(TYPES)
            if rng.random() < 0.8:
                file[name] = (
                    np.zeros(shape, kind) if rng.random() < 0.7 else [str(word) for word in WORDS[2:7]]
                )


def sheet(path: Path, rng: random.Random) -> None:
    """A part of a spreadsheet damaged, with its sum made right; or a cell or a place that is hostile."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice([*parts, *[name for name in parts if "sheet1" in name] * 4])
    data = parts[name]
    old, new = rng.choice(((b"<v>", b"</v>"), (b'r="', b'"'), (b't="', b'"'), (b'ref="', b'"')))
    at = data.find(old, rng.randrange(len(data) + 1))
    if at < 0 or rng.random() < 0.5:
        parts[name] = noise(data, rng)
    else:
        end = data.find(new, at + len(old))
        places = ("A1", "XFD1048576", "A99999999", "ZZZZ9", "0", "-1", "e", "b", "s", "str", "inlineStr")
        word = rng.choice([*places, *(str(value) for value in (*NUMBERS, *CELLS[:20]))])
        parts[name] = data[: at + len(old)] + word.encode("utf-8", "replace") + data[end:]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)


# Images


def chunk(path: Path, rng: random.Random) -> None:
    """A chunk of a PNG damaged or added, with its sum made right."""
    data, chunks, at = path.read_bytes(), [], 8
    while at + 12 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + size]])
        at += 12 + size
    one = rng.choice(chunks)
    if rng.random() < 0.4:
        text = rng.choice((b"a\0\0" + zlib.compress(bytes(10**7)), b"", bytes(9), rng.randbytes(30)))
        chunks.insert(rng.randrange(1, len(chunks)), [rng.choice(CHUNKS), text])
    else:
        one[1] = noise(one[1], rng) if one[1] else rng.randbytes(5)
    packed = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    path.write_bytes(data[:8] + b"".join(packed))


def foreign(path: Path, rng: random.Random) -> None:
    """An image of another kind under this name; that of PostScript is a program."""
    from PIL import Image

    start = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\n"
    program = f"{start}({os.environ['FUZZ_MARKER']}) (w) file\n"
    kind, buffer = rng.choice(FOREIGN), io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, format=kind)
    path.write_bytes(program.encode() if kind == "eps" else buffer.getvalue())
