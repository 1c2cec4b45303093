"""`distaff concepts` as a person meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import distaff
from PIL import Image

from distaff import load_run
from distaff.evaluation.concepts.imagined import combine, imagine, lessons_of, read_back
from distaff.pages.images import strip


@pytest.fixture
def runs(worded: Path, tmp_path: Path) -> Path:
    shutil.copytree(worded, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def synonyms(synonymous: Path, tmp_path: Path) -> Path:
    shutil.copytree(synonymous, tmp_path / "runs")
    return tmp_path / "runs"


def rows_of(path: Path, zoom: int = 4) -> list[np.ndarray]:
    """The strips of a sheet, right of its labels, at the size of the images."""
    pixels = np.asarray(Image.open(path))[:, 90:]
    assert pixels.shape[0] % (16 * zoom + 4) == 0
    return [row[: 16 * zoom : zoom, ::zoom] for row in np.split(pixels, pixels.shape[0] // (16 * zoom + 4))]


def test_a_concept_is_drawn(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = distaff(capsys, "concepts", runs / "scan", "hat, yellow wall", "--count", 5)
    path = runs / "scan" / "concepts" / "yellow_wall_hat.png"
    assert (status, err) == (0, "")
    assert out.splitlines()[:2] == [str(path), "yellow wall, hat"]
    made = imagine(load_run(runs / "scan"), "yellow wall, hat", 5)
    (drawn,) = rows_of(path)
    np.testing.assert_array_equal(drawn, strip(made.images))
    surest = int(made.sigma.argmin())
    assert f"latents (sigma): z{surest} at {made.mean[surest]:.2f} ({made.sigma[surest]:.2f}), " in out


def test_many_images_take_several_rows(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = distaff(capsys, "concepts", runs / "scan", "hat", "--count", 15, "--seed", 3)
    assert status == 0
    first, second = rows_of(Path(out.splitlines()[0]))
    made = imagine(load_run(runs / "scan"), "hat", 15, 3).images
    np.testing.assert_array_equal(first, strip(made[:12]))
    np.testing.assert_array_equal(second[:, : 3 * 17 - 1], strip(made[12:]))


def test_an_operator_is_drawn_as_learned_and_as_it_should_be(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, words = load_run(runs / "operators"), ["yellow wall, hat", "--ignore", "blue wall"]
    status, out, _ = distaff(capsys, "concepts", run.folder, *words, "--json")
    told = json.loads(out)
    assert (status, told["concept"]) == (0, "yellow wall, hat IGNORE blue wall")
    assert [*told["drawn"]] == ["by the learned operator", "hat"]
    learned, exact = combine(run, "yellow wall, hat", "ignore", "blue wall"), imagine(run, "hat")
    for drawn, made in zip(rows_of(Path(told["picture"])), (learned, exact), strict=True):
        np.testing.assert_array_equal(drawn, strip(made.images))
    for record, made in zip(told["drawn"].values(), (learned, exact), strict=True):
        sigmas = [each["sigma"] for each in record["latents"]]
        assert sigmas == sorted(sigmas) == pytest.approx(sorted(made.sigma.tolist()))
        assert sum(record["words"].values()) == pytest.approx(3), "of three attributes"


def test_without_operators_the_exact_result_is_drawn(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["concepts", runs / "scan", "white floor, hat", "--in-common", "hat, blue wall"]
    status, out, _ = distaff(capsys, *words)
    path, title, said, result = out.splitlines()[:4]
    assert (status, title) == (0, "white floor, hat IN COMMON blue wall, hat")
    assert "has no operators (scan_operators learns them)" in said
    assert (result, Path(path).name) == ("hat", "white_floor_hat_in_common_blue_wall_hat.png")
    (drawn,) = rows_of(Path(path))
    np.testing.assert_array_equal(drawn, strip(imagine(load_run(runs / "scan"), "hat").images))


@pytest.mark.parametrize("run", ["scan", "operators"])
def test_the_concepts_of_an_image_are_listed(
    runs: Path, capsys: pytest.CaptureFixture[str], run: str
) -> None:
    status, out, _ = distaff(capsys, "concepts", runs / run, "--image", 0, "--json")
    told = json.loads(out)
    assert (status, len(told["concepts"])) == (0, 40)
    parts = {"white wall", "white floor", "hat"}
    for each in told["concepts"]:
        assert each["shown"] == ({*each["concept"].split(", ")} <= parts)
    status, out, _ = distaff(capsys, "concepts", runs / run, "--image", 0)
    certain = [each for each in told["concepts"] if each["certainty"] >= 0.5]
    assert out.startswith(f"{len(certain)} of 40 concepts")
    assert len(out.splitlines()) == 1 + len(certain)
    assert out.count("(wrong") == sum(not each["shown"] for each in certain)


def test_a_file_is_resized_and_that_is_said(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (50, 40), "white").save(tmp_path / "photo.png")
    status, out, _ = distaff(capsys, "concepts", runs / "scan", "--image", tmp_path / "photo.png")
    assert status == 0
    assert out.startswith("photo.png is cropped to its middle square and resized to 16x16 pixels\n")
    assert "wrong" not in out


@pytest.mark.parametrize(("words", "name"), [("dub", "dub"), ("dub, yellow floor", "yellow_floor_dub")])
def test_a_synonym_is_drawn_by_its_own_word(
    synonyms: Path, capsys: pytest.CaptureFixture[str], words: str, name: str
) -> None:
    status, out, err = distaff(capsys, "concepts", synonyms / "scan", words)
    path = synonyms / "scan" / "concepts" / f"{name}.png"
    assert (status, err) == (0, "")
    assert out.splitlines()[:2] == [str(path), name.replace("_floor_", "_floor, ").replace("_", " ")]
    (drawn,) = rows_of(path)
    np.testing.assert_array_equal(drawn, strip(imagine(load_run(synonyms / "scan"), words).images))


def test_an_operator_takes_a_synonym_as_it_is_said_and_its_result_as_it_is_meant(
    synonyms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = load_run(synonyms / "operators")
    status, out, _ = distaff(capsys, "concepts", run.folder, "dub", "--and", "blue floor", "--json")
    made = json.loads(out)
    assert (status, made["concept"]) == (0, "dub AND blue floor")
    assert [*made["drawn"]] == ["by the learned operator", "white wall, blue floor, hat"]
    learned, exact = combine(run, "dub", "and", "blue floor"), imagine(run, "white wall, blue floor, hat")
    for drawn, each in zip(rows_of(Path(made["picture"])), (learned, exact), strict=True):
        np.testing.assert_array_equal(drawn, strip(each.images))


def test_synonyms_are_listed_by_their_words_with_what_they_are_read_as(
    synonyms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether it is shown goes by what the word stands for, the certainty by what the run reads it as."""
    run, told = load_run(synonyms / "scan"), 0
    vocabulary = lessons_of(run).vocabulary
    for number in (0, 8, 30, 53):
        _, out, _ = distaff(capsys, "concepts", run.folder, "--image", number, "--json")
        listed = json.loads(out)["concepts"]
        assert [each["certainty"] for each in listed] == sorted(
            (e["certainty"] for e in listed), reverse=True
        )
        found = {each["concept"]: each for each in listed}
        assert len(listed) == len(lessons_of(run).taught) + 2
        (row,) = run.data.factors.rows([number])
        assert found["dub"]["shown"] == (row[0] == 0 and row[2] == 0)
        assert found["woog"]["shown"] == (row[1] == 2 and row[2] == 2)
        _, out, _ = distaff(capsys, "concepts", run.folder, "--image", number)
        for word in ("dub", "woog"):
            each, read_as = found[word], vocabulary.describe(read_back(run, word))
            assert each["read_as"] == read_as
            wrong = "" if each["shown"] else "  (wrong: the image does not show it)"
            line = f"{each['certainty']:.2f}  {word}, read as {read_as}{wrong}"
            assert (line in out.splitlines()) == (each["certainty"] >= 0.5)
            told += each["certainty"] >= 0.5
    assert told, "or no line was tried"


def test_joint_vaes_have_concepts_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rooms = ["resolution=16", "wall_colour=2", "floor_colour=2", "object_colour=[3]", "camera_yaw=1"]
    data = [word for each in rooms for word in ("--data", each)]
    how = ["--set", "concepts=8", "--set", "batch_size=4", "--steps", "2", "--threads", "1"]
    how += ["--set", "synonyms=dub = hat, wall=white"]
    for method in ("jmvae", "telbo"):
        run = tmp_path / method
        assert distaff(capsys, "train", method, "--dataset", "rooms", *data, *how, "--out", run)[0] == 0
        status, out, _ = distaff(capsys, "concepts", run, "hat", "--and", "white wall")
        assert (status, Path(out.splitlines()[0]).name) == (0, "hat_and_white_wall.png")
        status, out, _ = distaff(capsys, "concepts", run, "--image", "0", "--json")
        assert (status, "dub" in {each["concept"] for each in json.loads(out)["concepts"]}) == (0, True)
        assert distaff(capsys, "concepts", run, "dub")[0] == 0


@pytest.mark.parametrize(
    ("run", "words", "message"),
    [
        ("scan", [], "give a concept, or --image. Its words: wall colour: white, yellow, blue; floor"),
        ("scan", [" , "], "give a concept, or --image. Its words: wall colour"),
        ("scan", ["hatt"], "unknown value 'hatt'; did you mean 'hat'?"),
        ("scan", ["red wall"], "unknown value 'red'"),
        ("scan", ["blue waal"], "unknown attribute 'waal'; did you mean 'wall'?"),
        ("scan", ["white"], "'white' can be meant of several attributes; say 'white wall' or 'white floor'"),
        ("scan", ["white wall, blue wall"], "white wall, blue wall contradicts itself"),
        ("operators", ["white wall", "--and", "blue wall"], "white wall, blue wall contradicts itself"),
        ("operators", ["hat", "--ignore", "cat"], "unknown value 'cat'; did you mean 'hat'?"),
        ("operators", ["hat", "--ignore", ""], "give a concept, or --image"),
        ("operators", ["hat", "--and", "hat", "--ignore", "hat"], "give one of --and, --in-common and"),
        ("scan", ["hat", "--count", 0], "count=0 is not allowed"),
        ("scan", ["hat", "--seed", -1], "seed=-1 is not allowed"),
        ("scan", ["hat", "--image", 3], "--image takes no words and no operator"),
        ("scan", ["--image", 3, "--and", "hat"], "--image takes no words and no operator"),
        ("scan", ["--image", 3, "--count", 2], "--image takes no --count"),
        ("scan", ["--image", 54], "index out of range: rooms has images 0..53, got 54"),
        ("scan", ["--image", "x.png"], "x.png does not exist"),
        ("vision", ["hat"], "is a run of beta_vae, which knows no symbols; train scan on it"),
        ("nothing", ["hat"], "nothing is not a run folder"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    runs: Path, capsys: pytest.CaptureFixture[str], run: str, words: list[object], message: str
) -> None:
    before = sorted(runs.rglob("*"))
    status, out, err = distaff(capsys, "concepts", runs / run, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(runs.rglob("*")) == before


def test_synonyms_are_among_the_words_that_can_be_said(
    synonyms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, message in (
        ([], "object: hat, ice_lolly, suitcase; synonyms: dub, woog."),
        (["woof"], "unknown value 'woof'; did you mean 'woog'?"),
        (["dub, blue wall"], "white wall, blue wall, hat contradicts itself"),
    ):
        status, out, err = distaff(capsys, "concepts", synonyms / "scan", *words)
        assert (status, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1
