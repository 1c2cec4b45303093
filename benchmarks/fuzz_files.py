"""Small valid files of every kind that a user can hand us, for fuzz.py to damage."""

from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from hostile_values import SCRIPT, acting, npy

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
    for make in (tables, originals, pictures, classes, keys, npz, idx):
        (root / make.__name__).mkdir()
        make(root / make.__name__, rng)


LABELS = np.stack([np.arange(12) % 3, np.arange(12) // 3], axis=1)


def npz(folder: Path, rng: np.random.Generator) -> None:
    """Images, factors with names and pairs, as `distaff` reads them."""
    images = rng.integers(256, size=(12, 16, 16), dtype=np.uint8)
    pairs = np.stack([np.arange(11), np.arange(1, 12)], axis=1)
    names = np.array(["a", SCRIPT])
    np.savez(folder / "data.npz", images=images, factors=LABELS, factor_names=names, pairs=pairs)


def idx(folder: Path, rng: np.random.Generator) -> None:
    """Images and labels as MNIST has them."""
    images = struct.pack(">4B3I", 0, 0, 8, 3, 12, 16, 16) + rng.bytes(12 * 16 * 16)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    labels = struct.pack(">4BI", 0, 0, 8, 1, 12) + LABELS[:, 0].astype(np.uint8).tobytes()
    (folder / "train-labels-idx1-ubyte").write_bytes(labels)


def pictures(folder: Path, rng: np.random.Generator) -> None:
    """Images of every kind, some of several frames, turned in all ways, beside a table of labels."""
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


def classes(folder: Path, rng: np.random.Generator) -> None:
    """Folders of classes, transparent images, a link to a folder that leads back."""
    from PIL import Image

    for kind in ("cats", "dogs"):
        (folder / kind).mkdir()
        for i, ending in enumerate(("png", "tif", "webp", "gif")):
            pixels = rng.integers(256, size=(16, 16, 4), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{i}.{ending}")
    (folder / "dogs" / "more").symlink_to("../cats", target_is_directory=True)


def keys(folder: Path, rng: np.random.Generator) -> None:
    """Arrays under other usual names, beside a pickled one."""
    images = rng.integers(2, size=(12, 16, 16, 3), dtype=np.uint8)
    words = np.array([f"{SCRIPT}{i % 3}" for i in range(12)])
    with zipfile.ZipFile(folder / "data.npz", "w", 8) as archive:
        for name, array in (("X", images), ("y", words)):
            archive.writestr(f"{name}.npy", npy(array))
        archive.writestr("notes.npy", acting())


def tables(folder: Path, rng: np.random.Generator) -> None:
    """The same codes and factors in every kind of file that holds a table."""
    import anndata
    import duckdb
    import h5py
    import pandas as pd
    import scipy.io

    factors = rng.integers(3, size=(80, 2))
    codes = factors + 0.1 * rng.standard_normal(factors.shape)
    for name, table in (("codes", codes), ("factors", factors)):
        frame = pd.DataFrame(table, columns=["a", SCRIPT])
        place = folder / name
        np.save(f"{place}.npy", table)
        np.savez(f"{place}.npz", table=table)
        np.savetxt(f"{place}.txt", table, fmt="%g")
        frame.to_csv(f"{place}.csv", index=False)
        frame.to_csv(f"{place}.csv.gz", index=False)
        frame.to_excel(f"{place}.xlsx", index=False)
        duckdb.sql(f"COPY (FROM '{place}.csv') TO '{place}.parquet' (FORMAT parquet)")
        scipy.io.savemat(f"{place}.mat", {"table": table}, do_compression=name == "codes")
        with h5py.File(f"{place}.h5", "w") as file:
            file.create_dataset("run/table", data=table, chunks=(16, 2), compression="gzip")
    with pd.option_context("future.infer_string", False):  # words as files of all versions have them
        kind = pd.Categorical.from_codes(factors[:, 0], ["a", "b", SCRIPT])
        obs = pd.DataFrame({"kind": kind, "size": factors[:, 1]}, index=[f"c{i}" for i in range(len(codes))])
        anndata.AnnData(obs=obs, obsm={"X_pca": codes}).write_h5ad(folder / "codes.h5ad")


def originals(folder: Path, rng: np.random.Generator) -> None:
    """The files of published data sets with few images, one with a pickled array."""
    import h5py

    with zipfile.ZipFile(folder / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz", "w", 8) as archive:
        archive.writestr("imgs.npy", npy(rng.integers(2, size=(48, 64, 64), dtype=np.uint8)))
        archive.writestr("metadata.npy", acting())
    np.savez_compressed(folder / "mpi3d_toy.npz", images=np.zeros((16, 64, 64, 3), np.uint8))
    np.savez(folder / "mpi3d_real.npz", images=np.zeros((16, 64, 64, 3), np.uint8))
    with h5py.File(folder / "3dshapes.h5", "w") as file:
        options: dict[str, Any] = {"chunks": (5, 16, 16, 3), "compression": "gzip"}
        file.create_dataset("images", data=rng.integers(256, size=(8, 64, 64, 3), dtype=np.uint8), **options)
