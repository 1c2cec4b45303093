"""benchmarks/gallery.py: its commands can be run, and its index names what is there."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType

import pytest
from commands import distaff as distaff_command
from scripts import script

import distaff
from distaff import registry
from distaff.evaluation.evaluate import read_card
from distaff.settings import build, parse_pairs

ONE_SCORE = ["--metric", "mig"]


@pytest.fixture
def gallery() -> ModuleType:
    return script(Path(__file__).parents[1] / "benchmarks" / "gallery.py")


def given(words: list[str], option: str) -> list[str]:
    return [after for before, after in itertools.pairwise(words) if before == option]


def test_every_command_is_of_a_method_and_a_data_set_that_fit(gallery: ModuleType, tmp_path: Path) -> None:
    for name in gallery.GALLERY:
        *trained, evaluated, explored = gallery.commands(name, tmp_path)
        folders = [Path(given(words, "--out")[0]) for words in trained]
        assert folders[-1] == tmp_path / name
        assert [evaluated[1], explored[1]] == [str(tmp_path / name)] * 2
        for place, words in enumerate(trained):
            method = build(registry.get("methods", words[1]), parse_pairs(given(words, "--set")), words[1])
            stands_on = [getattr(method, setting) for setting, *_ in method.base_settings()]
            assert {Path(each) for each in stands_on if each != "none"} <= set(folders[:place])
            data = distaff.load_dataset(given(words, "--dataset")[0], **parse_pairs(given(words, "--data")))
            if words[1] == "dc_ign":
                factors = [factor for group in method.batch_options["groups"] for factor in group]
                assert sorted(factors) == sorted(data.factors.names)


def test_what_is_kept_is_whole(gallery: ModuleType) -> None:
    """Every page has its size, and its run loads, encodes and decodes as it stands there."""
    pages = sorted(gallery.KEPT.glob("*.html"))
    assert {page.stem for page in pages} == set(gallery.GALLERY)
    for page in pages:
        assert page.stat().st_size <= gallery.LARGEST
        run = distaff.load_run(gallery.KEPT / page.stem)
        card = read_card(run)
        assert card is not None
        assert card.protocol["rows"] > 0
        codes = run.encode(run.data.images(range(2)))
        assert run.decode(codes.mean).shape == (2, *run.data.image_shape)
        *_, own, _, _ = gallery.commands(page.stem, Path("runs"))
        assert run.config.method == own[1]
        assert run.config.steps == int(given(own, "--steps")[0])


def test_a_page_is_made_and_named(
    gallery: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    part = "--data resolution=16 --data x=2 --data y=2 --data orientation=1"
    tiny = f"vae --dataset dsprites {part} --steps 2 --out {{out}}/dsprites"
    monkeypatch.setitem(gallery.GALLERY, "dsprites", gallery.Shown("Shapes", [tiny]))

    def quick(words: list[str], check: bool) -> None:
        """In this process, with one score: all of them take most of the time."""
        _, _, module, *rest = words
        status, _, said = distaff_command(capsys, *rest, *ONE_SCORE * ("evaluate" in words))
        assert (module, status) == ("distaff", 0), said

    monkeypatch.setattr(gallery.subprocess, "run", quick)
    path = gallery.make("dsprites", tmp_path)
    assert path == tmp_path / "dsprites.html"
    assert path.stat().st_size < gallery.LARGEST
    text = gallery.index(tmp_path)
    assert '<a href="dsprites.html">' in text
    assert f"distaff explore {tmp_path}/dsprites --out {path}" in text
    assert "digits.html" not in text
    monkeypatch.setattr(gallery, "LARGEST", 1000)
    with pytest.raises(SystemExit, match="at most 1,000"):
        gallery.make("dsprites", tmp_path)
