"""What a page shows is there for those who do not see it: words for pictures, and the numbers of figures."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from browser import browser, found
from drawn import quantities, untold
from markupsafe import Markup
from matplotlib.figure import Figure
from standing import trained as trained_on_base

import distaff
from distaff.evaluation.acting.returns import FILE as ACTING
from distaff.evaluation.acting.returns import Acted, Returns
from distaff.evaluation.desiderata import FILE as DESIDERATA
from distaff.evaluation.reasoning.lesson import FILE as REASONING
from distaff.evaluation.reasoning.lesson import Reasoning
from distaff.files import write_json
from distaff.pages import figures, parts, table_figures
from distaff.pages import report as module
from distaff.pages.page import Section

POINTS = 150  # of each cloud


class Shown(NamedTuple):
    """Sections by the name of the function that made them, and figures with their titles."""

    sections: dict[str, Section]
    drawn: dict[str, Figure]
    page: Path


def judged(folder: Path) -> Path:
    """A run folder with all that evaluation may have left in it, made up."""
    rng = np.random.default_rng(0)
    clouds = {name: rng.random((POINTS, 2)).tolist() for name in ("pca", "tsne")}
    ratings = dict.fromkeys(("knn_accuracy", "silhouette", "sparsity"), 0.5)
    ratings |= dict.fromkeys(("knn_accuracy_of_pixel_plane", "silhouette_of_pixel_plane"), 0.25)
    views = {"classes": [n % 3 for n in range(POINTS)], **clouds}
    probe = {"10": 0.1, "100": 0.2, "1000": 0.3}
    others = {"label": "shape", "linear_probe": probe, "interpolation": None, "views": views}
    write_json(folder / DESIDERATA, ratings | others)
    write_json(folder / ACTING, Acted("grid", 10, 0, {"everywhere": Returns(0.25, 0.5, 0.125)}))
    curve = {"steps": (250, 500), "accuracies": (0.3125, 0.4375)}
    seen = Reasoning(seen="codes", answers="easy", rules=(1, 2), grid={"shape": 3}, seed=0, **curve)
    write_json(folder / REASONING, seen)
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    (folder / "history.jsonl").write_text("".join(f"{json.dumps(line | {'kl_1': 1.0})}\n" for line in lines))
    return folder


@pytest.fixture(scope="module")
def shown(trained: Path, worded: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """The pages of three runs, which have all the sections that there are."""
    folder = tmp_path_factory.mktemp("alternatives")
    shutil.copytree(trained, folder / "judged")
    shutil.copytree(worded / "operators", folder / "operators")
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=1)
    fitted = trained_on_base("pca", data, folder, latents=4, images=90)
    return [reported(each) for each in (judged(folder / "judged"), folder / "operators", fitted.folder)]


def reported(folder: Path) -> Shown:
    """A run's report, watched as it is made."""
    sections: dict[str, Section] = {}
    drawn: dict[str, Figure] = {}

    def watched(make: Any) -> Any:
        def made(seen: Any) -> Section | None:
            section = make(seen)
            if section is not None:
                sections[make.__name__] = section
            return section

        return made

    def svg(figure: Figure, title: str) -> Markup:
        drawn[title] = figure
        return was(figure, title)

    was = parts.svg
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SECTIONS", [watched(make) for make in module.SECTIONS])
        patch.setattr(parts, "svg", svg)
        page = distaff.report(folder, show=False)
    return Shown(sections, drawn, page)


class Pictures(HTMLParser):
    """The words of every picture of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img":
            self.words.append((tag, given.get("alt")))
        if tag == "svg":
            assert given.get("role") == "img"
            self.words.append((tag, given.get("aria-label")))


def test_every_section_is_looked_at_and_every_picture_of_it_has_words(shown: list[Shown]) -> None:
    names = {name for each in shown for name in each.sections}
    assert names == {make.__name__ for make in module.SECTIONS}
    for each in shown:
        pictures = Pictures(each.page.read_text()).words
        assert {tag for tag, _ in pictures} == {"img", "svg"}
        assert all(words and words.strip() for _, words in pictures)
        assert sum(tag == "svg" for tag, _ in pictures) == len(each.drawn)


def test_below_a_figure_stands_what_it_draws(shown: list[Shown]) -> None:
    titles = set()
    for each in shown:
        text = each.page.read_text()
        for title, figure in each.drawn.items():
            rest = text.partition(f'aria-label="{Markup.escape(title)}"')[2].partition("</svg>")[2]
            told = bool(re.match(r'\s*</div><details class="numbers"><summary>The numbers</summary>', rest))
            assert told == bool(quantities(figure)), title
            titles |= {title} if told else set()
    assert len(titles) == 5, "curves, clouds, matrices"


def drawn_numbers() -> Iterator[Any]:
    """Every kind of figure, with numbers of its own."""
    rng = np.random.default_rng(0)
    some = rng.random((6, 2))
    yield figures.history_curves([{"step": 10 * n, "loss": 5.5 - n, "kl": 0.25 * n} for n in range(9)])
    yield figures.curves([1, 2, 4], {"a": [0.5, 0.75, 0.25], "b": [0.1, 0.2, 0.3]}, "x", "y")
    yield figures.heat_map(some, list("abcdef"), ["u", "v"])
    yield figures.views({"one": some.tolist(), "two": (some + 1).tolist()}, [0, 1, 2, 0, 1, 2], "shape")
    runs = pd.DataFrame(
        {"method": ["a", "a", "b", "b"], "strength": [1, 2, 1, 2], "x": some[:4, 0], "y": some[:4, 1]}
    )
    yield figures.against(runs, "x", "y", ("x", "y"), "strength")
    yield table_figures.scatter(runs, ["x"], "y")
    points = {"mean": some[:4, 0], "q25": some[:4, 0] - 0.1, "q75": some[:4, 0] + 0.1, "metric": "mig"}
    yield table_figures.bands(runs.assign(**points), "metric", "x", "method", "x")
    ends = {"fraction": some[:2, 0], "fraction_low": some[:2, 0] - 0.5, "fraction_high": some[:2, 0] + 0.5}
    yield table_figures.selection(pd.DataFrame({"metric": "mig", "rule": ["r", "s"]} | ends))


def test_no_number_is_drawn_that_the_table_lacks() -> None:
    for figure in drawn_numbers():
        assert quantities(figure)
        assert untold(figure) == []


def test_bars_boxes_and_shares_tell_their_numbers() -> None:
    frame = pd.DataFrame({"a": [0.25, 0.5], "b": [0.125, 1.0]}, index=["one", "two"])
    told = figures.bars(frame, "score").numbers
    assert told.to_numpy().tolist() == [["one", 0.25, 0.125], ["two", 0.5, 1.0]]
    seeds = pd.MultiIndex.from_product([["vae"], range(9)], names=["method", "seed"])
    boxes = table_figures.boxes(pd.DataFrame({"mig": np.arange(9.0)}, index=seeds))
    assert boxes.numbers["mig"].tolist() == [0, 2, 4, 6, 8]
    rows = [
        ("d", "mig", source, share) for source, share in (("method", 0.5), ("strength", 0.3), ("seed", 0.2))
    ]
    shares = table_figures.shares(pd.DataFrame(rows, columns=["dataset", "metric", "source", "share"]))
    assert shares.numbers[["method", "strength", "seed"]].to_numpy().tolist() == [[0.5, 0.3, 0.2]]
    codes = np.random.default_rng(0).random((9, 3))
    against = figures.latents_against(codes, codes[:, ::-1], ["x", "y"])
    expected = np.sort(np.hstack([codes[:, :0:-1], codes[:, :2]]), axis=0)
    np.testing.assert_array_equal(np.sort(against.numbers.to_numpy(), axis=0), expected)


def test_of_many_rows_some_are_shown_and_it_is_said() -> None:
    history = [{"step": n, "loss": float(n)} for n in range(601)]
    text = parts.drawing("long", figures.history_curves(history))
    steps = [int(step) for step in re.findall(r'<tr><td class="n">(\d+)</td>', text)]
    assert len(steps) == 60
    assert (steps[0], steps[-1]) == (0, 600)
    assert set(np.diff(steps)) == {10, 11}
    assert "60 of 601 rows." in text
    other = parts.drawing("long", figures.history_curves(history), pd.DataFrame({"given": np.arange(700)}))
    assert len(re.findall(r'<tr><td class="n">', other)) == 700
    assert "numbers" not in parts.drawing("a picture", Figure())


def test_pages_stay_small(shown: list[Shown]) -> None:
    for each in shown:
        tables = re.findall(r'<details class="numbers">.*?</details>', each.page.read_text(), re.DOTALL)
        assert sum(map(len, tables)) < 40_000
        assert each.page.stat().st_size < 1_000_000


@pytest.mark.skipif(found() is None, reason="there is no chromium")
def test_numbers_are_folded_and_paper_has_them(shown: list[Shown], tmp_path: Path) -> None:
    with browser(tmp_path) as chrome:
        chrome.open(shown[0].page, 390, height=844)
        assert chrome.value("document.documentElement.scrollWidth") == 390
        height = "[...document.querySelectorAll('.numbers table')].map((each) => each.checkVisibility())"
        assert not any(chrome.value(height))
        chrome.click(".numbers summary")
        assert chrome.value(height)[0]
        assert chrome.value("document.documentElement.scrollWidth") == 390
        chrome.click(".numbers summary")
        chrome.call("Emulation.setEmulatedMedia", media="print")
        assert all(chrome.value(height))
        assert not chrome.problems
