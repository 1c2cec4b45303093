"""Annotated data, by the real anndata: embeddings by name, labels beside them, in memory and as .h5ad."""

import json
import re
import shlex
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from commands import distaff as command

import distaff
from distaff.errors import BadInput
from distaff.metrics import drvi, mig
from distaff.tables.readers.annotated import read_annotated
from distaff.tables.sparse import SparseTable

RNG = np.random.default_rng(0)
N = 240
KIND = RNG.integers(4, size=N)
WORDS = np.array(["B", "NK", "T", "mono"])[KIND]
GOOD = np.eye(4)[KIND][:, :3] + 0.2 * RNG.standard_normal((N, 3))
MIXED = GOOD @ np.linalg.qr(RNG.standard_normal((3, 3)))[0]
QUICK: dict[str, Any] = {"values_only": True, "metrics": ["mig", "drvi"]}


def adata() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata

        anndata.settings.allow_write_nullable_strings = True
        obs = pd.DataFrame(
            {
                "cell_type": pd.Categorical(WORDS),
                "batch": pd.Categorical(np.array(["one", "two"])[RNG.integers(2, size=N)]),
                "genes": RNG.integers(100, 2000, size=N),
            },
            index=[f"cell{i}" for i in range(N)],
        )
        found = anndata.AnnData(scipy.sparse.csr_matrix(np.eye(N, dtype=np.float32)), obs=obs)
    found.obsm["X_drvi"], found.obsm["X_pca"] = GOOD, MIXED
    found.obsm["X_sparse"] = scipy.sparse.csr_matrix(np.where(GOOD > 0.5, GOOD, 0))
    found.obsm["X_umap"] = MIXED[:, :2]
    return found


def test_an_embedding_and_a_label_by_name() -> None:
    data = adata()
    card = distaff.score(data, obsm="X_drvi", obs=["cell_type"], **QUICK)
    assert card["mig"].value == mig(GOOD, WORDS)
    assert card["drvi.msas_spn"].value == drvi(GOOD, WORDS).msas_spn
    assert card.protocol["factors"] == ["cell_type"]
    assert card.protocol["words"] == {"cell_type": ["B", "NK", "T", "mono"]}
    assert "words: cell_type (4: B, NK, T, mono)" in str(card)
    assert distaff.score(data, obsm="X_drvi", obs="cell_type", **QUICK) == card
    table = distaff.score(data, data.obs[["cell_type"]].iloc[::-1], obsm="X_drvi", **QUICK)
    assert table["mig"].value == card["mig"].value  # rows are paired by the cells' names
    frame = pd.DataFrame(GOOD, index=data.obs_names, columns=list("abc"))
    data.obsm["X_frame"] = frame
    assert distaff.score(data, obsm="X_frame", obs="cell_type", **QUICK)["mig"].value == card["mig"].value
    off = distaff.score(data, obsm="X_sparse", obs="cell_type", **QUICK)
    assert off["mig"].value == mig(np.where(GOOD > 0.5, GOOD, 0), WORDS)


def test_what_is_found_without_names_is_said() -> None:
    data = adata()
    with pytest.raises(BadInput, match="holds several codes; pick with obsm=: obsm/X_drvi, obsm/X_pca"):
        distaff.score(data, **QUICK)
    del data.obsm["X_pca"], data.obsm["X_sparse"]
    card = distaff.score(data, **QUICK)
    assert card.protocol["factors"] == ["cell_type", "batch"]
    assert card.protocol["notes"][:2] == [
        "data: codes are obsm/X_drvi; not obsm/X_umap, unless picked",
        "data: factors are obs/cell_type, obs/batch; not genes, unless picked",
    ]


def test_drvi_is_scored_unasked_and_of_annotated_data_alone() -> None:
    data = adata()
    assert "drvi.lms_smi" in distaff.score(data, obsm="X_drvi", obs="cell_type", values_only=True)
    assert "drvi.lms_smi" not in distaff.score(GOOD, WORDS, values_only=True)


def test_cells_without_a_label_are_left_out_and_it_is_said() -> None:
    data = adata()
    data.obs.loc[data.obs_names[:7], "cell_type"] = np.nan
    card = distaff.score(data, obsm="X_drvi", obs=["cell_type"], **QUICK)
    assert card["mig"].value == mig(GOOD[7:], WORDS[7:])
    assert card.protocol["rows"] == N - 7
    assert "7 of 240 rows left out, in which a value is missing" in card.protocol["notes"]
    with pytest.raises(BadInput, match="obs, row 0, row 1, row 2 and 4 more: no value for 'cell_type'"):
        distaff.score(data, obsm="X_drvi", obs=["cell_type"], missing="error", **QUICK)


def test_several_embeddings_side_by_side() -> None:
    data = adata()
    data.obs.loc[data.obs_names[:7], "cell_type"] = np.nan
    found = distaff.score(data, obsm=["X_pca", "X_drvi"], obs=["cell_type"], **QUICK)
    assert list(found) == ["X_pca", "X_drvi"]
    assert found["X_drvi"] == distaff.score(data, obsm="X_drvi", obs=["cell_type"], **QUICK)
    frame = found.to_frame()
    assert frame.index.tolist() == ["X_pca", "X_drvi"]
    assert frame.loc["X_drvi", "mig"] == mig(GOOD[7:], WORDS[7:])
    assert frame.loc["X_drvi", "drvi.msgs_smi"] > frame.loc["X_pca", "drvi.msgs_smi"]
    shown = str(found).splitlines()
    assert shown[0].split() == ["score", "X_pca", "X_drvi"]
    assert shown[1].split()[0] == "mig"
    assert shown.count("note: 7 of 240 rows left out, in which a value is missing") == 1
    with pytest.raises(BadInput, match="unknown embedding 'X_pcaa'; did you mean 'X_pca'"):
        found["X_pcaa"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"obsm": "X_dvri"}, r"unknown key of obsm 'X_dvri'; did you mean 'X_drvi'\? Allowed: X_drvi, X_pca"),
        ({"obsm": ["X_pca", "x"]}, "unknown key of obsm 'x'"),
        (
            {"obsm": "X_pca", "obs": ["celltype"]},
            "unknown column of obs 'celltype'; did you mean 'cell_type'",
        ),
        ({"obsm": "X_pca", "obs": []}, r"obs=\[\] names no column"),
        ({"obsm": "X_pca", "obs": "genes", "factors": WORDS}, "give factors or obs=, not both"),
        ({"obsm": "X_pca", "factors": WORDS[1:]}, "codes have 240 rows and factors 239"),
    ],
)
def test_what_is_not_there_is_one_line(names: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        distaff.score(adata(), **names, **QUICK)
    assert "\n" not in str(caught.value)


def test_names_of_annotated_data_need_annotated_data() -> None:
    with pytest.raises(BadInput, match=r"obsm='X_pca' picks from annotated data .* codes are ndarray"):
        distaff.score(GOOD, WORDS, obsm="X_pca")


def test_the_library_is_never_imported() -> None:
    """What has obsm and obs is annotated data, whatever it is."""

    duck = SimpleNamespace(obsm={"X_pca": GOOD}, obs=pd.DataFrame({"kind": pd.Categorical(WORDS)}))
    held = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "anndata"}
    sys.modules["anndata"] = None  # type: ignore[assignment]  # importing it fails
    try:
        assert distaff.score(duck, **QUICK)["mig"].value == mig(GOOD, WORDS)
    finally:
        del sys.modules["anndata"]
        sys.modules.update(held)


def written(data: Any, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.write_h5ad(path)


def scored(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    status, out, err = command(capsys, "score", *words, "--values-only", "--json")
    assert status == 0, err
    return json.loads(out)


def test_the_same_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, path = adata(), tmp_path / "cells.h5ad"
    data.obs.loc[data.obs_names[:7], "cell_type"] = np.nan
    data.obsm["X_columns"] = scipy.sparse.csc_matrix(data.obsm["X_sparse"])
    written(data, path)
    keys = ["X_pca", "X_drvi", "X_sparse", "X_columns"]
    expected = distaff.score(data, obsm=keys, obs=["cell_type"], values_only=True)
    found = scored(capsys, path, "--obsm", ",".join(keys), "--obs", "cell_type")
    assert {name: card["scores"] for name, card in found.items()} == {
        name: card["scores"] for name, card in json.loads(json.dumps(expected.to_dict())).items()
    }
    one = scored(capsys, path, "--obsm", "X_drvi", "--obs", "cell_type", "--metric", "mig")
    assert one["scores"]["mig"]["value"] == expected["X_drvi"]["mig"].value
    assert "7 of 240 rows left out, in which a value is missing" in one["protocol"]["notes"]
    status, out, _ = command(
        capsys, "score", path, "--obsm", "X_pca,X_drvi", "--values-only", "--metric", "mig"
    )
    assert status == 0
    assert out.splitlines()[0].split() == ["score", "X_pca", "X_drvi"]


def test_clusters_that_are_numbers_are_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = adata()
    data.obs["leiden"] = pd.Categorical(KIND.astype(str))
    written(data, tmp_path / "c.h5ad")
    frame = {"leiden": pd.Categorical(KIND.astype(str))}
    pd.DataFrame(frame).to_pickle(tmp_path / "c.pkl")
    np.save(tmp_path / "z.npy", GOOD)
    cards = [
        scored(capsys, tmp_path / "c.h5ad", "--obsm", "X_drvi", "--obs", "leiden"),
        scored(capsys, tmp_path / "z.npy", tmp_path / "c.pkl"),
    ]
    in_memory = distaff.score(data, obsm="X_drvi", obs="leiden", values_only=True, metrics=["linear_r2"])
    assert in_memory.protocol["words"] == {"leiden": list("0123")}
    for card in cards:
        assert card["protocol"]["words"] == {"leiden": list("0123")}


def test_sparse_counts_and_layers_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = adata()
    counts = scipy.sparse.csr_matrix(np.where(RNG.random((N, N)) < 0.1, RNG.integers(9, size=(N, N)), 0))
    data.layers["counts"], data.layers["scaled"] = counts.tocsc(), counts.toarray() / 2.0
    written(data, tmp_path / "c.h5ad")
    table = read_annotated(tmp_path / "c.h5ad", ["X"])
    assert isinstance(table, SparseTable)
    assert (table.codes.matrix.toarray() == np.eye(N)).all()
    assert table.labels == [f"cell{i}" for i in range(N)]
    for name in ("layers/counts", "counts"):
        found = read_annotated(tmp_path / "c.h5ad", [name])
        assert isinstance(found, SparseTable)
        assert (found.codes.matrix != counts).nnz == 0
    dense = read_annotated(tmp_path / "c.h5ad", ["scaled"])
    np.testing.assert_array_equal(np.column_stack(dense.cells), counts.toarray() / 2.0)
    with pytest.raises(BadInput, match="X is sparse, and is read alone"):
        read_annotated(tmp_path / "c.h5ad", ["X", "X_drvi"])
    words = (
        tmp_path / "c.h5ad",
        "--code-columns",
        "X",
        "--factor-columns",
        "batch",
        "--metric",
        "best_latent",
    )
    assert "best_latent.f1" in scored(capsys, *words)["scores"]
    with h5py.File(tmp_path / "c.h5ad", "a") as file:
        file["X/indices"][0] = N + 3
    with pytest.raises(BadInput, match="has indices outside its shape"):
        read_annotated(tmp_path / "c.h5ad", ["X"])


def test_a_category_by_hand(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "c.h5ad", "w") as file:
        file["obsm/z"], file["obs/kind/codes"] = GOOD, KIND
        file["obs/kind/categories"] = ["B", "NK", "T", "mono"]
    table = read_annotated(tmp_path / "c.h5ad", None, "factors")
    assert table.cells[0].tolist() == WORDS.tolist()


def test_the_commands_of_the_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[2] / "docs" / "guides" / "cells.md"
    commands = re.findall(r"^distaff (score cells\.h5ad .*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    monkeypatch.chdir(tmp_path)
    written(adata(), Path("cells.h5ad"))
    for words in commands:
        status, out, err = command(capsys, *shlex.split(words), "--values-only")
        assert status == 0, err
        assert "drvi.lms_smi" in out


def test_bad_names_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cells.h5ad"
    written(adata(), path)
    np.save(tmp_path / "codes.npy", GOOD)
    with h5py.File(path, "a") as file:
        file["obsm/X_sparse/indices"][0] = 3
    for words, message in (
        ([path, "--obsm", "X_dvri"], "did you mean 'obsm/X_drvi'?"),
        (
            [path, "--obsm", "X_sparse", "--obs", "batch"],
            "the parts of the sparse X_sparse do not fit each other",
        ),
        ([path, "--obsm", "X_pca", "--obs", "celltype"], "did you mean 'obs/cell_type'?"),
        ([path], "holds several codes; pick with --code-columns or --obsm: obsm/X_drvi, obsm/X_pca"),
        ([path, "--obsm", "X_pca", "--code-columns", "X_pca"], "not both"),
        ([tmp_path / "codes.npy", "--obsm", "X_pca"], "--obsm and --obs are of an .h5ad"),
        ([path, "--obsm", "X_pca,X_drvi", "--matrices", tmp_path / "m.npz"], "takes one embedding"),
    ):
        status, out, err = command(capsys, "score", *words)
        assert (status, out) == (2, ""), words
        assert message in err
        assert err.count("\n") == 1
    assert not (tmp_path / "m.npz").exists()
