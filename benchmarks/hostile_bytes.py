"""Ways to damage a valid file as bytes, as text, and as an image with its sums made right again."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from hostile_values import CELLS, CHUNKS, EXTREMES, FOREIGN, HOSTILE, SCRIPT, Payload, npy


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
