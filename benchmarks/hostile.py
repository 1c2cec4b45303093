"""Ways to damage a valid file: as bytes, or as what it is, with its sums and lengths made right again.

A way makes other bytes of a file's bytes; those of hostile_places.py change the file where it lies.
"""

from __future__ import annotations

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

import hostile_values as values
import numpy as np
from hostile_places import odd, outside, rearranged
from hostile_values import Payload, npy


def spoil(path: Path, rng: random.Random) -> str:
    """Damage a file in place, in a way that fits its kind, and say how."""
    chosen = pickled if rng.random() < 0.02 else rng.choice([noise, noise, odd, *OWN.get(path.suffix, [])])
    if chosen in (odd, outside, rearranged):
        chosen(path, rng)
    else:
        path.write_bytes(chosen(path.read_bytes(), rng))
    return chosen.__name__


# Any file


def noise(data: bytes, rng: random.Random) -> bytes:
    """Bits flipped, numbers made extreme, pieces cut out, doubled, random or zero, the end cut off.

    One to four such changes, more often near the start and the end.
    """
    for _ in range(rng.choice((1, 1, 2, 4))):
        size = len(data)
        near = (rng.randrange(size + 1), min(size, rng.randrange(200)), max(0, size - rng.randrange(200)))
        at, length = rng.choice(near), rng.choice((1, 2, 8, 100, size // 3 + 1))
        piece, word = data[at : at + length], struct.pack(rng.choice("<>") + "Q", rng.choice(values.EXTREMES))
        cut = word[: rng.choice((1, 2, 4, 8))] if rng.random() < 0.5 else word[-rng.choice((1, 2, 4)) :]
        flipped = bytes([piece[0] ^ (1 << rng.randrange(8))]) if piece else b""
        changed = [new + piece[len(new) :] for new in (flipped, cut)]
        new = rng.choice((None, *changed, b"", piece * 2, rng.randbytes(length), bytes(length)))
        data = data[:at] if new is None else data[:at] + new + data[at + length :]
    return data


def pickled(_: bytes, rng: random.Random) -> bytes:
    """A pickle that would make a file, as it is or within an array or an archive."""
    archive = io.BytesIO()
    np.savez(archive, images=np.array([Payload()], dtype=object), mean=np.zeros(3))
    return rng.choice((values.acting(), archive.getvalue(), pickle.dumps(Payload())))


# Text


def replaced(data: bytes, rng: random.Random) -> bytes:
    """A value or a key of JSON, or of one of its lines, replaced by something hostile."""
    lines = re.split(r"\n(?=\{)", data.decode().rstrip())
    at = rng.randrange(len(lines))
    value = json.loads(lines[at])
    for _ in range(rng.choice((1, 1, 1, 3))):
        value = other(value, rng)
    lines[at] = _as_json(value)
    return "\n".join([*lines, ""]).encode()


def other(value: Any, rng: random.Random) -> Any:
    """A JSON value with something in it replaced, lost or added."""
    if isinstance(value, dict | list) and value and rng.random() < 0.9:
        value = value.copy()
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if rng.random() < 0.1:
            del value[key]
        elif isinstance(value, dict) and rng.random() < 0.1:
            value[rng.choice(values.KEYS)] = rng.choice(values.HOSTILE)
        else:
            value[key] = other(value[key], rng)
        return value
    if isinstance(value, int) and rng.random() < 0.3:
        return rng.choice((value + 1, -value, value * 1000, float(value), str(value)))
    return rng.choice(values.HOSTILE)


def _as_json(value: Any) -> str:
    """JSON with what json.dumps cannot say: nested too deep, a number of too many digits."""
    deep = "[" * 100_000 + "]" * 100_000
    return json.dumps(value).replace('"DEEP"', deep).replace('"DIGITS"', "9" * 5000)


def cells(data: bytes, rng: random.Random) -> bytes:
    """Cells of a CSV file replaced, lines lost or repeated."""
    lines = [line.split(",") for line in data.decode().splitlines()]
    for _ in range(rng.choice((1, 1, 3))):
        line = rng.choice(lines)
        line[rng.randrange(len(line))] = rng.choice(values.CELLS)
    if rng.random() < 0.1:
        lines = lines[: rng.randrange(3)] + lines[1:] * rng.choice((0, 1, 200))
    return "\n".join(map(",".join, lines)).encode()


def attribute(data: bytes, rng: random.Random) -> bytes:
    """A value, a place or a kind of cell in a sheet that is hostile."""
    old, new = rng.choice(((b"<v>", b"</v>"), (b'r="', b'"'), (b't="', b'"'), (b'ref="', b'"')))
    at = data.find(old, rng.randrange(len(data) + 1))
    if at < 0:
        return noise(data, rng)
    end = data.find(new, at + len(old))
    word = rng.choice([*values.PLACES, *map(str, (*values.NUMBERS, *values.CELLS[:20]))])
    return data[: at + len(old)] + word.encode("utf-8", "replace") + data[end:]


# Arrays, and archives of files


def strange(data: bytes, rng: random.Random) -> bytes:
    """An array of a shape, a type or values that nobody expects, half the time in the shape of its own."""
    own = tuple(int(n) for n in re.search(rb"'shape': \(([\d, ]*)\)", data)[1].split(b",") if n.strip())
    shape = own if rng.random() < 0.5 else rng.choice(values.SHAPES)
    array = np.zeros(shape, dtype=rng.choice(values.TYPES))
    flat, kind = array.reshape(-1), array.dtype.kind
    if kind in "iuf" and flat.size:
        flat[:] = np.arange(flat.size) % 5
        limits = np.finfo(array.dtype) if kind == "f" else np.iinfo(array.dtype)
        odd_ones = (limits.max, -limits.max, np.nan, np.inf, limits.tiny, 0.5) if kind == "f" else ()
        count = rng.randrange(3) if kind == "f" else 1
        for value in rng.sample(odd_ones or (limits.max, limits.min), count):
            flat[rng.randrange(flat.size)] = value
    elif kind in "US":
        flat[:] = rng.choice(("a", "1", "", "é" if kind == "U" else "e"))
    return npy(array)


def promised(data: bytes, rng: random.Random) -> bytes:
    """A header of an array that does not fit what follows."""
    header, body = _parts(data)
    shape = tuple(rng.choice(values.PROMISED) for _ in range(rng.choice((0, 1, 2, 3, 4, 40))))
    kind = rng.choice(values.PROMISED_TYPES)
    headers = (
        re.sub(r"'shape': \(.*?\)", f"'shape': {shape!r}", header),
        re.sub(r"'descr': '.*?'", f"'descr': {kind!r}", header),
        rng.choice(values.HEADERS),
        header.replace("False", "True"),
    )
    return _begun(data, rng.choice(headers)) + body


def _parts(data: bytes) -> tuple[str, bytes]:
    """The header of an .npy file, and what follows it."""
    end = 10 + struct.unpack("<H", data[8:10])[0]
    return data[10:end].decode("latin1"), data[end:]


def _begun(data: bytes, header: str) -> bytes:
    """An .npy file up to what follows the header, which is this one."""
    return data[:8] + struct.pack("<H", len(header)) + header.encode("latin1")


def member(data: bytes, rng: random.Random) -> bytes:
    """A member of an archive damaged as its kind may be, renamed, lost or doubled, and all written anew."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [[name, archive.read(name)] for name in archive.namelist()]
    one = rng.choice(
        [*members, *[each for each in members if "sheet1" in each[0]] * 20]
    )  # the one with cells
    damaged = rng.choice([noise, *OWN.get(Path(one[0]).suffix, [])])(one[1], rng)
    change = rng.randrange(8)
    if change == 0:
        one[0] = rng.choice(values.MEMBERS)
    elif change == 1:
        members.remove(one)
    elif change == 2:
        members.append([one[0], damaged])
    else:
        one[1] = values.acting() if change == 3 else damaged
    written, kind = io.BytesIO(), rng.choice((0, 0, 8, 12, 14))
    with warnings.catch_warnings(), zipfile.ZipFile(written, "w", kind) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in members:
            archive.writestr(name, content)
    return noise(written.getvalue(), rng) if rng.random() < 0.2 else written.getvalue()


def bomb(data: bytes, rng: random.Random) -> bytes:
    """A small archive of arrays with many rows of zeros."""
    written = io.BytesIO()
    count = rng.choice((10**9, 10**10)) if rng.random() < 0.02 else 10**5
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w", 8, compresslevel=1) as new:
        for name in old.namelist():
            content = old.read(name)
            header = re.sub(r"\((\d+)", f"({count}", _parts(content)[0])
            with new.open(name, "w", force_zip64=True) as file:
                file.write(_begun(content, header))
                for _ in range(0 if count > 10**9 else count // 10**5):
                    file.write(bytes(10**5))
    return written.getvalue()


def unpacked(data: bytes, rng: random.Random) -> bytes:
    """What is in a gzip file damaged; or much more of it than a small file promises."""
    return gzip.compress(bytes(2**28) if rng.random() < 0.02 else noise(gzip.decompress(data), rng), 1)


def tensors(data: bytes, rng: random.Random) -> bytes:
    """A safetensors file whose header tells of other tensors, or with a number in it made extreme."""
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    name = rng.choice(["step", *header]) if "step" in header else rng.choice(list(header))
    one, change = header[name], rng.randrange(7)
    if change == 0:
        header[name] = other(one, rng)
    elif change == 1:
        header[rng.choice(values.TENSORS).format(name)] = header.pop(name)
    elif change == 2:
        one["dtype"] = rng.choice((*values.TENSOR_TYPES.get(one["dtype"], ()), "F4", "I8"))
    elif change == 3:
        size = int(np.prod(one["shape"]))
        one["shape"] = rng.choice(([size], [1, size], one["shape"][::-1], [1, *one["shape"]], [0], [2**63]))
    elif change == 4:
        at = 4 * rng.randrange(max(1, len(body) // 4))
        body[at : at + 4] = np.float32(rng.choice((np.nan, np.inf, 3e38, -3e38, 1e-40, 1e9))).tobytes()
    elif change == 5:
        at = one["data_offsets"][0]
        body[at : at + 8] = struct.pack("<Q", rng.choice(values.EXTREMES))
    else:
        header["__metadata__"] = rng.choice(values.HOSTILE)
    text = _as_json(header).encode()
    return struct.pack("<Q", len(text)) + text + body


# Images


def chunk(data: bytes, rng: random.Random) -> bytes:
    """A chunk of a PNG damaged or added, with its sum made right."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + size]])
        at += 12 + size
    one = rng.choice(chunks)
    if rng.random() < 0.4:
        text = rng.choice((b"a\0\0" + zlib.compress(bytes(10**7)), b"", bytes(9), rng.randbytes(30)))
        chunks.insert(rng.randrange(1, len(chunks)), [rng.choice(values.CHUNKS), text])
    else:
        one[1] = noise(one[1], rng) if one[1] else rng.randbytes(5)
    packed = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    return data[:8] + b"".join(packed)


def foreign(_: bytes, rng: random.Random) -> bytes:
    """An image of another kind under this name; that of PostScript is a program."""
    from PIL import Image

    start = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\n"
    program = f"{start}({os.environ['FUZZ_MARKER']}) (w) file\n"
    kind, buffer = rng.choice(values.FOREIGN), io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, format=kind)
    return program.encode() if kind == "eps" else buffer.getvalue()


#: by the ending of a name, what may happen to such a file beside what may happen to any
OWN: dict[str, list[Callable[[Any, random.Random], Any]]] = {
    ".json": [replaced, replaced, replaced],
    ".jsonl": [replaced, replaced],
    ".csv": [cells, cells],
    ".xml": [attribute, attribute],
    ".npy": [strange, promised],
    ".npz": [member, member, bomb],
    ".xlsx": [member, member],
    ".gz": [unpacked, unpacked],
    ".safetensors": [tensors, tensors, tensors],
    ".png": [chunk, foreign],
    ".h5": [outside, rearranged],
    ".h5ad": [rearranged, rearranged],
}
