"""docs/your_data.md: every route as it stands there; where its first line is Python, that makes the file."""

import pickle
import re
import shlex
import warnings
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import h5py
import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import scipy.io
import scipy.sparse
import torch
from commands import distaff
from PIL import Image

PAGE = Path(__file__).parents[1] / "docs" / "your_data.md"
ROUTES = [block.strip().split("\n") for block in re.findall(r"```\n(.*?)```", PAGE.read_text(), re.DOTALL)]
RNG = np.random.default_rng(0)
FACTORS = np.stack([np.arange(120) % 3, RNG.integers(4, size=120)], axis=1)
CODES = FACTORS / FACTORS.std(axis=0) + 0.05 * RNG.standard_normal((120, 2))
KIND = np.array(["large", "middle", "small"])[FACTORS[:, 0]]
FRAME = pd.DataFrame({"z0": CODES[:, 0], "z1": CODES[:, 1], "kind": KIND, "size": FACTORS[:, 1]})


def from_r() -> None:
    """What write.csv and write.csv2 write of data frames."""
    lines = [f'"{i}",{a!r},{b!r}' for i, (a, b) in enumerate(CODES.tolist(), 1)]
    Path("codes_r.csv").write_text("\n".join(['"","z1","z2"', *lines]))
    lines = [
        f'"{i}";"{kind}";{size},0' for i, (kind, size) in enumerate(zip(KIND, FACTORS[:, 1], strict=True), 1)
    ]
    Path("factors_r.csv").write_text("\n".join(['"";"kind";"size"', *lines]))


def from_matlab() -> None:
    scipy.io.savemat("codes.mat", {"z": CODES, "labels": FACTORS})


def pictures() -> None:
    for folder in ("cats", "dogs"):
        Path("photographs", folder).mkdir(parents=True)
        for i in range(2):
            pixels = RNG.integers(256, size=(90, 150 + 10 * i, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path("photographs", folder, f"{i}.jpg"))


def sprites() -> None:
    """The published file, as far as it can be told from outside: its arrays' names, shapes and a pickle."""
    from distaff.datasets.dsprites import DSprites

    image = np.zeros((64, 64), dtype=np.uint8)
    image[20:40, 20:40] = 1
    count = len(DSprites.factors)
    name = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    metadata = np.array({"title": "dSprites"}, dtype=object)
    np.savez_compressed(name, latents_classes=np.zeros((count, 6), dtype=np.int64), metadata=metadata)
    # three gigabytes, which NumPy compresses as well as it can, for many seconds
    with (
        ZipFile(name, "a", ZIP_DEFLATED, compresslevel=1) as held,
        held.open("imgs.npy", "w", force_zip64=True) as file,
    ):
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, 64, 64)}
        np.lib.format.write_array_header_1_0(file, header)
        part = np.tile(image, (count // 720, 1, 1)).tobytes()
        for _ in range(720):
            file.write(part)


def parquet() -> None:
    """pandas writes Parquet with pyarrow, which the tests do without."""
    import duckdb

    frame = FRAME
    assert len(frame)
    duckdb.sql("COPY (SELECT [z0, z1] AS z, kind, size FROM frame) TO 'all.parquet' (FORMAT parquet)")


#: how a line begins that is not Python, or needs what the tests do not have -> what does the same
INSTEAD = {
    "write.csv(": from_r,
    "save(": from_matlab,
    "photographs": pictures,
    "dsprites": sprites,
    "frame.to_parquet": parquet,
}


def annotated() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata

        anndata.settings.allow_write_nullable_strings = True
        obs = pd.DataFrame(
            {"cell_type": pd.Categorical(KIND), "batch": pd.Categorical(FACTORS[:, 1].astype(str))}
        )
        data = anndata.AnnData(
            np.zeros((120, 1), np.float32), obs=obs.set_index(pd.Index([f"c{i}" for i in range(120)]))
        )
    data.obsm["X_scvi"], data.obsm["X_umap"] = CODES, CODES[:, ::-1]
    return data


def make(line: str) -> None:
    """Do what the first line of a route says."""
    for beginning, instead in INSTEAD.items():
        if line.startswith(beginning):
            instead()
            return
    frame = FRAME.copy()
    if "gaps" in line:
        frame.loc[[5, 9], "kind"] = None
    names = {
        "np": np,
        "h5py": h5py,
        "codes": CODES,
        "factors": FACTORS,
        "kind": KIND,
        "frame": frame,
        "scipy": scipy,
        "torch": torch,
        "pickle": pickle,
        "safetensors": safetensors,
    }
    names |= {
        "logvar": np.full(CODES.shape, -4.0),
        "images": RNG.integers(256, size=(120, 16, 16), dtype=np.uint8),
    }
    names |= {"data": annotated()} if "h5ad" in line else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(line, names)


@pytest.mark.parametrize("route", ROUTES, ids=[route[1] for route in ROUTES])
def test_a_route_in_two_lines(
    route: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert len(route) == 2
    monkeypatch.chdir(tmp_path)
    for other in ROUTES[:3]:  # files that later routes use again
        make(other[0])
    make(route[0])
    words = shlex.split(route[1])[1:]
    needs_an_array = [] if "sparse.npz" in words else ["--metric", "code_mutual_information"]
    fast = ["--values-only", "--metric", "mig", *needs_an_array]
    status, out, err = distaff(capsys, *words, *(fast if words[0] == "score" else []))
    assert (status, err if words[0] == "score" else "") == (0, "")
    if words[0] == "score" and "more.csv" not in words and words[1:] != ["codes.npy"]:
        mig = float(re.search(r"^mig +(\S+)", out, re.MULTILINE)[1])  # type: ignore[index]
        assert mig > 0.9, out


def test_the_page_has_every_kind_of_file() -> None:
    from distaff.tables.reading import PACKED, READERS

    text = PAGE.read_text()
    other_names = {".hdf5", ".tab", ".dat", ".data", ".ndjson", ".pth", ".ckpt", ".pickle"}
    assert {suffix for suffix in {*READERS, *PACKED} if suffix not in text} == other_names
