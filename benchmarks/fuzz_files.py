"""Small valid files of every kind that a user can hand us, for fuzz.py to damage."""

from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from hostile_values import SCRIPT, Payload, npy

GRID = {"resolution": 16, "x": 3, "y": 3, "orientation": 2, "scale": 2}
RUNS: dict[str, dict[str, Any]] = {"beta_vae": {"beta": 2.0}, "qlae": {"values": 4}}
TRAINED = {"steps": 10, "batch_size": 8, "latents": 3, "threads": 1, "show": False}
SCORED = {"rows": 60, "metrics": ["mig"], "values_only": True, "show": False}


def make_bases(root: Path) -> None:
    """Valid files of every kind, a folder for each of SUBJECTS."""
    import distaff

    for method, settings in RUNS.items():
        data = distaff.load_dataset("dsprites", **GRID)
        with mock.patch("distaff.training.train.LOG_EVERY", 5):
            run = distaff.train(method, data, out=root / method, **TRAINED, **settings)
        distaff.evaluate(run, **SCORED)
        (root / method / ".lock").unlink()
    rng = np.random.default_rng(0)
    makers = {
        "tables": _tables, "originals": _originals, "pictures": _pictures, "classes": _classes, "keys": _keys,
    }  # fmt: skip
    for name, make in makers.items():
        (root / name).mkdir()
        make(root / name, rng)
    images = rng.integers(256, size=(12, 16, 16), dtype=np.uint8)
    labels = np.stack([np.arange(12) % 3, np.arange(12) // 3], axis=1)
    for name in ("npz", "idx"):
        (root / name).mkdir()
    pairs = np.stack([np.arange(11), np.arange(1, 12)], axis=1)
    names = np.array(["a", SCRIPT])
    np.savez(root / "npz" / "data.npz", images=images, factors=labels, factor_names=names, pairs=pairs)
    idx = struct.pack(">4B3I", 0, 0, 8, 3, 12, 16, 16) + images.tobytes()
    (root / "idx" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx))
    numbers = labels[:, 0].astype(np.uint8).tobytes()
    (root / "idx" / "train-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 12) + numbers)


def _pictures(folder: Path, rng: np.random.Generator) -> None:
    from PIL import Image

    lines = ["file,shape,size"]
    kinds = ("png", "png", "jpg", "png", "tif", "tiff", "webp", "gif", "bmp", "webp")
    for i, kind in enumerate(kinds):
        frames = [
            Image.fromarray(pixels) for pixels in rng.integers(256, size=(2, 16, 16, 3), dtype=np.uint8)
        ]
        exif = Image.Exif()
        exif[0x0112] = 1 + i % 8
        options: dict[str, Any] = {} if kind in ("gif", "bmp") else {"exif": exif}
        if kind in ("tiff", "gif") or i == len(kinds) - 1:  # of several frames
            options |= {"save_all": True, "append_images": frames[1:]}
        options |= {"compression": "tiff_lzw"} if kind == "tiff" else {}
        frames[0].save(folder / f"{i}.{kind}", **options)
        lines.append(f"{i}.{kind},{'ab'[i % 2]},{i // 2}")
    (folder / "labels.csv").write_text("\n".join(lines))


def _classes(folder: Path, rng: np.random.Generator) -> None:
    """Folders of classes, transparent images, a link to a folder that leads back."""
    from PIL import Image

    for kind in ("cats", "dogs"):
        (folder / kind).mkdir()
        for i, ending in enumerate(("png", "tif", "webp", "gif")):
            pixels = rng.integers(256, size=(16, 16, 4), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{i}.{ending}")
    (folder / "dogs" / "more").symlink_to("../cats", target_is_directory=True)


def _keys(folder: Path, rng: np.random.Generator) -> None:
    """Arrays under other usual names, beside a pickled one."""
    images = rng.integers(2, size=(12, 16, 16, 3), dtype=np.uint8)
    words = np.array([f"{SCRIPT}{i % 3}" for i in range(12)])
    with zipfile.ZipFile(folder / "data.npz", "w", 8) as archive:
        for name, array in (("X", images), ("y", words)):
            archive.writestr(f"{name}.npy", npy(array))
        archive.writestr("notes.npy", npy(np.array([Payload()], dtype=object)))


def _tables(folder: Path, rng: np.random.Generator) -> None:
    import duckdb

    factors = rng.integers(3, size=(80, 2))
    codes = factors + 0.1 * rng.standard_normal(factors.shape)
    for name, table in (("codes", codes), ("factors", factors)):
        np.save(folder / f"{name}.npy", table)
        np.savez(folder / f"{name}.npz", table=table)
        header = f"a,{SCRIPT}"
        text = folder / f"{name}.csv"
        np.savetxt(text, table, delimiter=",", header=header, comments="", fmt="%g")
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.read_bytes()))
        np.savetxt(folder / f"{name}.txt", table, fmt="%g")
        duckdb.sql(f"COPY (FROM '{text}') TO '{folder / name}.parquet' (FORMAT parquet)")
        _other_tables(folder, name, table)
    _annotated(folder / "codes.h5ad", codes, factors)


def _other_tables(folder: Path, name: str, table: np.ndarray) -> None:
    """The same table as a sheet, a MATLAB file of each kind, and HDF5."""
    import h5py
    import openpyxl
    import scipy.io

    book = openpyxl.Workbook()
    for row in [["a", SCRIPT], *table.tolist()]:
        book.active.append(row)
    book.save(folder / f"{name}.xlsx")
    scipy.io.savemat(folder / f"{name}.mat", {"table": table}, do_compression=name == "codes")
    with h5py.File(folder / f"{name}.h5", "w") as file:
        file.create_dataset("run/table", data=table, chunks=(16, 2), compression="gzip")


def _annotated(path: Path, codes: np.ndarray, factors: np.ndarray) -> None:
    """Annotated data in today's layout, words and missing values among them."""
    import h5py

    with h5py.File(path, "w") as file:
        file["obsm/X_pca"] = codes
        obs = file.create_group("obs")
        obs.attrs["_index"], obs.attrs["column-order"] = "_index", ["kind", "size"]
        obs["_index"] = [f"c{i}" for i in range(len(codes))]
        kind = obs.create_group("kind")
        kind.attrs["encoding-type"], kind.attrs["ordered"] = "categorical", False
        kind["codes"], kind["categories"] = factors[:, 0].astype(np.int8), ["a", "b", SCRIPT]
        obs["size"] = factors[:, 1]


def _originals(folder: Path, rng: np.random.Generator) -> None:
    import h5py

    with zipfile.ZipFile(folder / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz", "w", 8) as archive:
        archive.writestr("imgs.npy", npy(rng.integers(2, size=(48, 64, 64), dtype=np.uint8)))
        archive.writestr("metadata.npy", npy(np.array([Payload()], dtype=object)))
    np.savez_compressed(folder / "mpi3d_toy.npz", images=np.zeros((16, 64, 64, 3), np.uint8))
    np.savez(folder / "mpi3d_real.npz", images=np.zeros((16, 64, 64, 3), np.uint8))
    with h5py.File(folder / "3dshapes.h5", "w") as file:
        options: dict[str, Any] = {"chunks": (5, 16, 16, 3), "compression": "gzip"}
        file.create_dataset("images", data=rng.integers(256, size=(8, 64, 64, 3), dtype=np.uint8), **options)
