"""Ways to damage arrays, archives of them, tensors, HDF5 files and sheets, sums and lengths made right."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import struct
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hostile_values as values
import numpy as np
from hostile_bytes import noise, noisy, other
from hostile_values import Payload, npy


def strange_array(data: bytes, rng: random.Random) -> np.ndarray:
    """An array of a shape, a type or values that nobody expects, half the time in the shape of `data`."""
    own = tuple(int(n) for n in re.search(rb"'shape': \(([\d, ]*)\)", data)[1].split(b",") if n.strip())
    shape = own if rng.random() < 0.5 else rng.choice(values.SHAPES)
    array = np.zeros(shape, dtype=rng.choice(values.TYPES))
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
    header, body = _parts(data)
    shape = tuple(rng.choice(values.PROMISED) for _ in range(rng.choice((0, 1, 2, 3, 4, 40))))
    change = rng.randrange(4)
    if change == 0:
        header = re.sub(r"'shape': \(.*?\)", f"'shape': {shape!r}", header)
    elif change == 1:
        header = re.sub(r"'descr': '.*?'", f"'descr': {rng.choice(values.PROMISED_TYPES)!r}", header)
    else:
        header = rng.choice(values.HEADERS) if change == 2 else header.replace("False", "True")
    return _begun(data, header) + body


def _parts(data: bytes) -> tuple[str, bytes]:
    """The header of an .npy file, and what follows it."""
    end = 10 + struct.unpack("<H", data[8:10])[0]
    return data[10:end].decode("latin1"), data[end:]


def _begun(data: bytes, header: str) -> bytes:
    """An .npy file up to what follows the header, which is this one."""
    return data[:8] + struct.pack("<H", len(header)) + header.encode("latin1")


def strange(path: Path, rng: random.Random) -> None:
    """Another array than expected."""
    path.write_bytes(npy(strange_array(path.read_bytes(), rng)))


def promised(path: Path, rng: random.Random) -> None:
    """A header that does not fit what follows."""
    path.write_bytes(headed(path.read_bytes(), rng))


def member(path: Path, rng: random.Random) -> None:
    """A member of an archive damaged, renamed, lost or doubled, and the archive written anew."""
    members = [[name, data] for name, data in _members(path).items()]
    one, change = rng.choice(members), rng.randrange(8)
    ways = (lambda: npy(strange_array(one[1], rng)), lambda: headed(one[1], rng), lambda: noise(one[1], rng))
    if change == 0:
        one[0] = rng.choice(values.MEMBERS)
    elif change == 1:
        members.remove(one)
    elif change == 2:
        members.append([one[0], rng.choice(ways)()])
    else:
        one[1] = npy(np.array([Payload()], dtype=object)) if change == 3 else rng.choice(ways)()
    _archive(path, members, rng.choice((0, 0, 8, 12, 14)))
    if rng.random() < 0.2:
        noisy(path, rng)


def _members(path: Path) -> dict[str, bytes]:
    """What is in an archive, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _archive(path: Path, members: Iterable[Iterable[Any]], kind: int) -> None:
    """Write an archive of names and contents, compressed in this way."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", kind) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in members:
            archive.writestr(name, data)


def bomb(path: Path, rng: random.Random) -> None:
    """A small archive of arrays with many rows of zeros."""
    members = _members(path)
    count = rng.choice((10**9, 10**10)) if rng.random() < 0.02 else 10**5
    with zipfile.ZipFile(path, "w", 8, compresslevel=1) as archive:
        for name, data in members.items():
            header = re.sub(r"\((\d+)", f"({count}", _parts(data)[0])
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(_begun(data, header))
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
                attributes[rng.choice(keys)] = rng.choice(values.HOSTILE)
                return
            del file[name]
            shape, kind = rng.choice(values.SHAPES), rng.choice(values.TYPES)
            if rng.random() < 0.8:
                file[name] = (
                    np.zeros(shape, kind) if rng.random() < 0.7 else [str(word) for word in values.WORDS[2:7]]
                )


def sheet(path: Path, rng: random.Random) -> None:
    """A part of a spreadsheet damaged, with its sum made right; or a cell or a place that is hostile."""
    parts = _members(path)
    name = rng.choice([*parts, *[name for name in parts if "sheet1" in name] * 4])
    data = parts[name]
    old, new = rng.choice(((b"<v>", b"</v>"), (b'r="', b'"'), (b't="', b'"'), (b'ref="', b'"')))
    at = data.find(old, rng.randrange(len(data) + 1))
    if at < 0 or rng.random() < 0.5:
        parts[name] = noise(data, rng)
    else:
        end = data.find(new, at + len(old))
        places = ("A1", "XFD1048576", "A99999999", "ZZZZ9", "0", "-1", "e", "b", "s", "str", "inlineStr")
        word = rng.choice([*places, *(str(value) for value in (*values.NUMBERS, *values.CELLS[:20]))])
        parts[name] = data[: at + len(old)] + word.encode("utf-8", "replace") + data[end:]
    _archive(path, parts.items(), zipfile.ZIP_DEFLATED)
