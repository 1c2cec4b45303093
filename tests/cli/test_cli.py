"""The command line as a newcomer meets it: outputs, errors of one line, exit statuses."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import distaff
from PIL import Image

from distaff import registry
from distaff.evaluation.acting import returns
from distaff.evaluation.reasoning import lesson

SMALL = ["--data", "resolution=16", "--data", "x=8", "--data", "y=8", "--data", "orientation=1"]
SETTINGS = ["--set", "beta=1.0", "--set", "learning_rate=1e-3", "--steps", "300", "--threads", "1"]


def test_from_nothing_to_a_report(tmp_path: Path, capsys, trained: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    status, out, err = distaff(
        capsys, "train", "beta_vae", "--dataset", "dsprites", *SMALL, *SETTINGS, "--out", run
    )
    assert (status, "is finished: 300 steps" in err) == (0, True)
    assert out.startswith(f"{run}: 300 steps, loss ")
    status, out, _ = distaff(capsys, "evaluate", run, "--rows", 300, "--values-only")
    assert status == 0
    assert "mig" in out
    status, out, _ = distaff(capsys, "report", run)
    assert status == 0
    assert Path(out.strip()).exists()


def test_what_comes_next_can_be_pasted_where_a_folder_has_a_space(tmp_path: Path, capsys) -> None:
    run = tmp_path / "my run"
    words = ["--set", "images=50", "--out", run]
    _, out, _ = distaff(capsys, "train", "pca", "--dataset", "dsprites", *SMALL, *words)
    for then in ("evaluate", "report"):
        [line] = re.findall("^Next: (.*)", out, re.MULTILINE)
        assert shlex.split(line) == ["distaff", then, str(run)]
        _, out, _ = distaff(capsys, "evaluate", run, "--rows", 50, "--values-only")


def test_a_contact_sheet_is_not_put_among_the_images(tmp_path: Path, capsys, monkeypatch) -> None:
    for i in range(2):
        Image.fromarray(np.full((16, 16), i, np.uint8)).save(tmp_path / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    status, _, err = distaff(capsys, "dataset", "show", ".")
    assert (status, "is inside the folder that is read here; name another file" in err) == (2, True)
    assert len(list(tmp_path.iterdir())) == 2


def test_steps_are_not_named_where_they_mean_nothing(tmp_path: Path, capsys) -> None:
    words = ["train", "pca", "--dataset", "dsprites", *SMALL, "--set", "images=50", "--out", tmp_path / "a"]
    status, out, _ = distaff(capsys, *words)
    assert (status, out.startswith(f"{tmp_path / 'a'}: fitted, squared_error ")) == (0, True)
    assert "is finished: fitted" in distaff(capsys, *words)[2]
    _, report, _ = distaff(capsys, "report", tmp_path / "a")
    assert " steps" not in Path(report.strip()).read_text()


def test_evaluate_says_how_soon_matrices_are_completed(
    tmp_path: Path, capsys, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "run")
    monkeypatch.setattr("distaff.evaluation.reasoning.lesson.EVERY", 2)
    monkeypatch.setattr("distaff.evaluation.reasoning.reasoner.TESTED", 50)
    words = ["evaluate", tmp_path / "run", "--reasoning", "--steps", 4, "--answers", "hard"]
    status, out, err = distaff(capsys, *words)
    assert (status, "reasoning 4/4" in err) == (0, True)
    assert out.startswith(
        "matrices of shape 3, scale 6, x 8, y 8; 1, 2, 3 rules, hard answers; codes are seen"
    )
    assert "      4 steps  0." in out
    status, out, err = distaff(capsys, *words, "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["steps"] == [2, 4]
    assert found == json.loads((tmp_path / "run" / "reasoning.json").read_text())
    _, page, _ = distaff(capsys, "report", tmp_path / "run")
    assert "<h2>Abstract reasoning</h2>" in Path(page.strip()).read_text()


def test_json_is_one_value_and_nothing_else(tmp_path: Path, capsys, trained: Path) -> None:
    train = ["train", "beta_vae", "--dataset", "dsprites", *SMALL, *SETTINGS, "--out", trained]
    np.save(tmp_path / "codes.npy", np.random.default_rng(0).random((60, 3)))
    np.savetxt(
        tmp_path / "factors.csv", np.arange(120).reshape(60, 2) % 4 // 2, "%d", ",", header="a,b", comments=""
    )
    shutil.copytree(trained, tmp_path / "run")
    for words, keys in (
        (train, {"run", "loss", "kl"}),
        (["evaluate", tmp_path / "run", "--rows", 200, "--values-only"], {"scores", "protocol"}),
        (["list", "methods", "vae"], {"name", "settings"}),
        (["dataset", "show", "dsprites", "--out", tmp_path / "a.png"], {"name", "factors", "source"}),
    ):
        status, out, _ = distaff(capsys, *words, "--json")
        assert status == 0
        assert json.loads(out).keys() >= keys


#: metrics that the factors themselves pass with .95 or more
GOOD = [word for m in ("mig", "beta_vae_score", "factor_vae_score") for word in ("--metric", m)]


def test_score_reads_files_and_names_columns(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(400, 2))
    np.save(tmp_path / "codes.npy", factors + 0.01 * rng.standard_normal((400, 2)))
    text = "shape,size\n" + "\n".join(f"{'abcd'[a]},{b}" for a, b in factors)
    (tmp_path / "factors.csv").write_text(text)
    status, out, _ = distaff(
        capsys, "score", tmp_path / "codes.npy", tmp_path / "factors.csv", "--json", *GOOD
    )
    card = json.loads(out)
    assert status == 0
    assert card["protocol"]["factors"] == ["shape", "size"]
    assert all(score["value"] >= 0.95 for score in card["scores"].values())


@pytest.mark.parametrize("kind", registry.TABLES)
def test_list_names_everything(capsys, kind: str) -> None:
    status, out, _ = distaff(capsys, "list", kind)
    assert status == 0
    assert all(name in out for name in registry.names(kind))
    status, out, _ = distaff(capsys, "list", kind, "--json")
    assert [each["name"] for each in json.loads(out)] == registry.names(kind)
    assert all(each["summary"] for each in json.loads(out))


def test_the_help_of_list_names_every_kind(capsys) -> None:
    status, out, _ = distaff(capsys, "list", "--help")
    assert status == 0
    assert all(kind in out for kind in registry.TABLES)


@pytest.mark.parametrize("kind", ["methods", "metrics", "datasets"])
def test_list_shows_one(capsys, kind: str) -> None:
    for name in registry.names(kind):
        status, out, _ = distaff(capsys, "list", kind, name)
        assert status == 0
        assert len(out.splitlines()) > 2


def train(method: str, data: str = "dsprites") -> list[str]:
    return ["train", method, "--dataset", data, "--out", "OUT"]


TRAIN = train("beta_vae")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "beta_va", "--dataset", "dsprites"], "unknown method 'beta_va'; did you mean 'beta_vae'?"),
        (
            ["train", "vae", "--dataset", "dsprits", "--out", "OUT"],
            "unknown data set 'dsprits'; did you mean",
        ),
        ([*TRAIN, "--set", "beat=3"], "unknown setting of beta_vae 'beat'; did you mean 'beta'?"),
        ([*TRAIN, "--set", "beta=x"], "beta='x' is not allowed; it must be a number"),
        ([*TRAIN, "--set", "beta=-1"], "beta=-1.0 is out of range; it must be at least 0"),
        ([*TRAIN, "--set", "beta"], "'beta' is not KEY=VALUE"),
        ([*TRAIN, "--set", "beta=liner:0:4:9"], "unknown schedule 'liner'; did you mean 'linear'?"),
        ([*TRAIN, "--set", "beta=linear:0:4"], "it must be a number or a schedule: constant:VALUE, or"),
        ([*train("annealed_vae"), "--set", "gamma=-1"], "gamma=-1.0 is out of range"),
        ([*train("annealed_vae"), "--set", "capacity=linear:-1:5:9"], "capacity=-1.0 is out of range"),
        (
            [*train("factor_vae"), "--set", "batch_size=1"],
            "batch_size=1 is out of range; it must be at least 2",
        ),
        ([*train("ada_gvae"), "--set", "batch_size=5"], "batch_size=5 is odd"),
        (train("ada_gvae", "digits"), "digits has no grid of factors to make such batches from"),
        (train("group_vae", "digits"), "digits has no grid of factors to make such batches from"),
        (train("slow_vae", "digits"), "digits has no grid of factors to make such batches from"),
        ([*train("group_vae"), "--set", "latents=4"], "each of the 5 factors needs a latent, got latents=4"),
        (
            [*train("group_vae"), "--set", "changed_factors=6"],
            "changed_factors=6 is not allowed; of 5 factors 0 to 4 may differ",
        ),
        ([*train("vae"), "--set", "label_loss=l2"], "label_loss='l2' is not allowed"),
        ([*train("vae", "UNLABELLED"), "--set", "label_loss=squared"], "has no labels"),
        (
            [*train("vae", "digits"), "--set", "label_loss=squared", "--set", "labelled_images=2000"],
            "labelled_images=2000 is not allowed; digits has 1 to 1797",
        ),
        ([*TRAIN, "--data", "resolution=9"], "resolution=9 is not allowed"),
        ([*TRAIN, "--data", "z=9"], "unknown setting of dsprites 'z'"),
        ([*TRAIN, "--set", "steps=5"], "unknown setting of beta_vae 'steps'"),
        ([*TRAIN, "--set", "show=false"], "unknown setting of beta_vae 'show'"),
        ([*TRAIN, "--set", "batch_size=10000000000"], "at most 100000"),
        ([*TRAIN, "--data", "name=5"], "unknown setting of dsprites 'name'"),
        ([*TRAIN, "--data", "data_dir=5"], "--data-dir"),
        ([*TRAIN, "--data", "x=[1,[2]]"], "x=[1, [2]] is not allowed"),
        ([*TRAIN, "--seed", "99999999999999999999"], "seed=99999999999999999999 is not allowed"),
        ([*TRAIN, "--device", "cpu:x"], "unknown device 'cpu:x'"),
        (["evaluate", "RUN", "--seed", "-1"], "seed=-1 is not allowed"),
        (["dataset"], "Missing command"),
        ([*TRAIN, "--steps", "x"], "--steps"),
        ([*TRAIN, "--steps", "-5"], "steps=-5 is not allowed"),
        ([*TRAIN, "--device", "tpu"], "unknown device 'tpu'"),
        ([*TRAIN, "--step", "5"], "No such option: --step"),
        (["train", "vae"], "Missing option '--dataset'"),
        (["trian"], "No such command 'trian'"),
        (["evaluate", "nowhere"], "nowhere is not a run folder"),
        (["evaluate", "RUN", "--rows", "few"], "--rows few is not allowed"),
        (["evaluate", "RUN", "--continuous", "siz"], "unknown column of labels 'siz'"),
        (["evaluate", "RUN", "--order", "shap=a,b"], "unknown column of labels 'shap'; did you mean"),
        (["evaluate", "RUN", "--seen", "pixels"], "--seen has no effect without --reasoning"),
        (["evaluate", "RUN", "--likelihood", "--steps", 9], "--steps has no effect without --reasoning"),
        (["evaluate", "RUN", "--reasoning", "--rows", 9], "--reasoning takes --seen, --answers, --steps"),
        (["evaluate", "RUN", "--reasoning", "--likelihood"], "--likelihood takes --rows and --seed alone"),
        (["evaluate", "RUN", "--reasoning", "--steps", 9], "steps=9 is not allowed"),
        (["evaluate", "RUN", "--reasoning", "--seen", "code"], "did you mean 'codes'"),
        (["report", "nowhere"], "nowhere is not a run folder"),
        (["report", "RUN", "--out", "config.json"], "config.json must end in .html"),
        (["explore", "RUN", "--out", "1.png"], "1.png must end in .html"),
        (["score", "nowhere.npy", "nowhere.csv"], "nowhere.npy does not exist"),
        (["list", "method"], "unknown kind 'method'; did you mean 'methods'?"),
        (["list", "metrics", "mgi"], "unknown metric 'mgi'; did you mean 'mig'?"),
        (["dataset", "show", "dsprits"], "unknown data set 'dsprits'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    tmp_path: Path, capsys, trained: Path, words: list, message: str
) -> None:
    unlabelled = tmp_path / "unlabelled.npz"
    np.savez(unlabelled, images=np.zeros((9, 16, 16), np.uint8))
    places = {"OUT": str(tmp_path / "out"), "RUN": str(trained), "UNLABELLED": str(unlabelled)}
    status, out, err = distaff(capsys, *(places.get(word, word) for word in words))
    assert not (tmp_path / "out").exists()
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("distaff: ")
    assert message in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.ones((5, 2)), np.ones((4, 2)), "codes have 5 rows and factors 4"),
        (np.full((5, 2), np.nan), np.arange(10).reshape(5, 2), "codes hold NaN or infinite values"),
        (np.ones((5, 2)), np.linspace(0, 1, 5), "whole numbers are needed"),
        (np.ones((1, 2)), np.ones((1, 2)), "at least 2 rows are needed"),
        (np.ones((5, 2)), np.zeros(5), "has a single value"),
        (np.ones((5, 2, 2)), np.arange(5), "must have shape (rows, columns)"),
        (np.full((5, 2), "a"), np.arange(5), "codes.npy, column 0, row 0: 'a' is not a number"),
    ],
)
def test_bad_arrays(tmp_path: Path, capsys, codes: np.ndarray, factors: np.ndarray, message: str) -> None:
    np.save(tmp_path / "codes.npy", codes)
    np.save(tmp_path / "factors.npy", factors)
    status, out, err = distaff(capsys, "score", tmp_path / "codes.npy", tmp_path / "factors.npy")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert message in err


def test_a_full_disk_is_one_line(tmp_path: Path, capsys, monkeypatch) -> None:
    import errno
    import os

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    words = ["train", "vae", "--dataset", "dsprites", *SMALL, "--steps", "2", "--out", tmp_path / "a"]
    status, _, err = distaff(capsys, *words)
    assert status == 2
    assert "No space left on device" in err.splitlines()[-1]
    assert "run the same command again" in err.splitlines()[-1]


def test_without_words_it_shows_the_help(capsys) -> None:
    status, out, err = distaff(capsys)
    assert (status, err) == (0, "")
    assert out.startswith("Usage: distaff")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_continue(tmp_path: Path, number: signal.Signals) -> None:
    words = ["train", "vae", "--dataset", "dsprites", *SMALL, "--steps", "100000", "--threads", "1"]
    command = [sys.executable, "-m", "distaff.cli", *words, "--out", str(tmp_path / "a")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "a" / "history.jsonl").exists():
        time.sleep(0.02)
    process.send_signal(number)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert re.search(r"distaff: stopped at step \d+ of 100000; run the same command again to continue", err)


def test_an_interrupt_elsewhere_is_one_line_too(capsys, monkeypatch) -> None:
    def interrupt(kind: str) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "names", interrupt)
    assert distaff(capsys, "list", "methods")[0] == 130


@pytest.mark.parametrize("module", ["distaff", "distaff.cli"])
def test_version_and_module(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "0.1.0"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder with codes and factors in one CSV file, an .npz and a .parquet."""
    import duckdb

    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=400) for size in (3, 5)], axis=1)
    codes = factors + 0.1 * rng.standard_normal((400, 2))
    lines = [",".join(map(str, [*c, *f])) for c, f in zip(codes, factors, strict=True)]
    (tmp_path / "all.csv").write_text("\n".join(["z0,z1,shape,size", *lines]))
    np.savez(tmp_path / "all.npz", mean=codes, logvar=np.full(codes.shape, -4.0), factors=factors)
    np.save(tmp_path / "real.npy", factors + 0.1 * rng.random((400, 2)))
    source, target = tmp_path / "all.csv", tmp_path / "all.parquet"
    duckdb.sql(f"COPY (SELECT * FROM '{source}') TO '{target}' (FORMAT parquet)")
    return tmp_path


def scored(capsys, *words: object) -> dict:
    status, out, err = distaff(capsys, "score", *words, "--values-only", "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_columns_are_picked_by_name_from_every_kind_of_file(table: Path, capsys) -> None:
    columns = (
        "--code-columns",
        "z1,z0",
        "--factor-columns",
        "size,shape",
        "--metric",
        "mig",
        "--metric",
        "mcc",
    )
    first = scored(capsys, table / "all.csv", table / "all.csv", *columns)
    assert first["protocol"]["factors"] == ["size", "shape"]
    assert first["scores"]["mcc"]["value"] > 0.95
    assert scored(capsys, table / "all.parquet", table / "all.parquet", *columns)["scores"] == first["scores"]
    arrays = ("--code-columns", "mean", "--factor-columns", "factors", "--metric", "mig")
    from_npz = scored(capsys, table / "all.npz", table / "all.npz", *arrays)
    assert from_npz["scores"]["mig"]["value"] == pytest.approx(first["scores"]["mig"]["value"])
    assert from_npz["protocol"]["factors"] == ["factors.0", "factors.1"]
    more = scored(capsys, table / "all.npz", table / "all.npz", "--logvar", table / "all.npz", *arrays[:4])
    assert more["scores"]["mig_exact"]["value"] > 0.9


@pytest.mark.parametrize("named", [("--code-columns", "z0,z1"), ("--factor-columns", "shape,size")])
def test_of_one_table_given_twice_what_one_name_leaves_is_the_other(table: Path, capsys, named) -> None:
    found = scored(capsys, table / "all.csv", table / "all.csv", *named, "--metric", "mig")
    assert (found["protocol"]["codes"], found["protocol"]["factors"]) == (2, ["shape", "size"])


def test_continuous_factors_and_matrices(table: Path, capsys) -> None:
    status, _, err = distaff(capsys, "score", table / "real.npy", table / "real.npy")
    assert status == 2
    assert "ask for continuous=True (--continuous)" in err
    out = table / "matrices.npz"
    words = ("--continuous", "--metric", "mig", "--metric", "infomec", "--matrices", out)
    card = scored(capsys, table / "real.npy", table / "real.npy", *words)
    assert card["scores"]["mig"]["value"] > 0.9
    assert "whole numbers" in card["scores"]["infomec"]["reason"]
    with np.load(out) as matrices:
        assert set(matrices.files) == {"mutual_information", "importance", "predictability", "correlation"}
        assert all(matrices[name].shape == (2, 2) for name in matrices.files)


def test_names_of_continuous_factors_may_look_like_files(
    table: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table)
    codes = np.load("real.npy")
    pd.DataFrame(codes, columns=["size.real", "codes.npy"]).to_csv("f.csv", index=False)
    Path("codes.npy").write_bytes(b"")
    for name in ("size.real", "codes.npy"):
        words = ("real.npy", "f.csv", "--factor-columns", name, "--metric", "mcc", "--continuous", name)
        assert scored(capsys, *words)["protocol"]["continuous"] == [name]
    every = scored(capsys, "--metric", "mcc", "--continuous", "real.npy", "f.csv")
    assert every["protocol"]["continuous"] == ["size.real", "codes.npy"]
    status, _, err = distaff(capsys, "score", "real.npy", "f.csv", "f.csv", "--continuous")
    assert (status, "extra argument" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("all.csv", "all.csv", "--code-columns", "z9"), "unknown column of all.csv 'z9'; did you mean 'z"),
        (
            ("all.npz", "all.npz"),
            "all.npz holds 3 arrays; pick some with --code-columns or --factor-columns: mean, logvar",
        ),
        (
            ("all.npz", "all.npz", "--code-columns", "men"),
            "unknown array of all.npz 'men'; did you mean 'mean'",
        ),
        (("real.npy", "real.npy", "--all", "--metric", "mig"), "give --metric or --all, not both"),
        (
            ("real.npy", "real.npy", "--continuous", "--protocol", "locatello2019"),
            "takes 10,000 rows for",
        ),
        (("real.npy", "real.npy", "--protocol", "locatelo", "--continuous"), "did you mean 'locatello2019'"),
        (("real.npy", "nothing.npy"), "nothing.npy does not exist"),
    ],
)
def test_wrong_ways_to_score(table: Path, capsys, words: tuple[str, ...], message: str) -> None:
    paths = [table / word if "." in word else word for word in words]
    status, out, err = distaff(capsys, "score", *paths)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert message in err


def test_scoring_needs_no_torch_and_starts_quickly(table: Path) -> None:
    """With torch made unimportable, as if it were not installed; the sum of both starts is bounded."""
    (table / "torch.py").write_text("raise ImportError('no torch here')")
    command = [sys.executable, "-m", "distaff.cli", "score", str(table / "real.npy"), str(table / "real.npy")]
    words = ["--continuous", "--metric", "mig", "--values-only"]
    began = time.perf_counter()
    result = subprocess.run(
        [*command, *words], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(table)}
    )
    assert result.returncode == 0, result.stderr
    assert "mig" in result.stdout
    assert time.perf_counter() - began < 10  # about 1 s alone; the machine may be busy


def test_a_failing_metric_leaves_the_others_and_exits_with_1(table: Path, capsys, monkeypatch) -> None:
    get = registry.get
    broken = get("metrics", "modularity")

    def modularity(codes: object, factors: object) -> float:
        raise ZeroDivisionError("no rows")

    modularity.declaration = broken.declaration  # type: ignore[attr-defined]
    modularity.of_arrays = modularity  # type: ignore[attr-defined]
    monkeypatch.setattr(
        registry, "get", lambda kind, name: modularity if name == "modularity" else get(kind, name)
    )
    words = (table / "all.csv", "--factor-columns", "shape,size", "--metric", "modularity", "--metric", "mig")
    status, out, err = distaff(capsys, "score", *words, "--values-only", "--json")
    scores = json.loads(out)["scores"]
    assert status == 1
    assert scores["mig"]["value"] > 0.5
    assert scores["modularity"]["reason"] == "failed: ZeroDivisionError: no rows"
    assert "1 scores have failed, please report it" in err


def test_the_help_tells_the_default_of_what_learns(capsys) -> None:
    out = " ".join(distaff(capsys, "evaluate", "--help")[1].replace("│", " ").split())
    assert f"with --reasoning [{lesson.STEPS}] or --acting [{returns.STEPS}]" in out
