"""The report: one file, complete, safe to open."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import distaff
from distaff.datasets import ArrayImages
from distaff.evaluation.concepts.imagined import combine, imagine
from distaff.files import write_json
from distaff.pages import report as module
from distaff.pages.parts import number, picture


class Page(HTMLParser):
    """Tags that were opened, and what they point to outside the file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and value and not value.startswith(("data:", "#")):
                self.outside.append(value)


def test_a_scored_run(tmp_path: Path, trained: Path) -> None:
    shutil.copytree(trained, tmp_path / "a")
    card = distaff.evaluate(tmp_path / "a", rows=500, show=False)
    path = distaff.report(tmp_path / "a", show=False)
    text = path.read_text()
    page = Page(text)
    assert not page.outside
    assert "script" not in page.tags
    for name in card:
        row = text.partition(f"<td><span>{name}</span>")[2].partition("</tr>")[0]
        assert f'</td><td class="n">{number(card[name].value)}</td>' in row
        assert ("lower is better" in row) != card[name].higher_is_better
    for title in (
        "Scores",
        "Traversals",
        "Reconstructions",
        "What each latent knows",
        "Training",
        "Settings",
    ):
        assert f"<h2>{title}</h2>" in text
    assert page.tags.count("img") == 10 + 2
    assert page.tags.count("svg") == 2
    assert "normalised beta" in text


def test_latents_are_ordered_by_kl(tmp_path: Path, trained: Path) -> None:
    shutil.copytree(trained, tmp_path / "a")
    text = distaff.report(tmp_path / "a", show=False).read_text()
    shown = [float(kl) for kl in re.findall(r"<small>([\d.]+) nats", text)]
    assert len(shown) == 10
    assert shown == sorted(shown, reverse=True)


def test_codes_without_a_posterior_have_no_nats(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train("autoencoder", data, steps=5, out=tmp_path / "a", threads=1, show=False)
    text = distaff.report(run, show=False).read_text()
    assert "KL to" not in text
    assert " nats" not in text.partition("<h2>Training</h2>")[0]
    assert "active above 0.01 of the largest" in text
    variances = run.encode(data.images(np.arange(60))).mean.var(axis=0)
    assert f"{(variances > 0.01 * variances.max()).sum()} of 10 latents are active" in text
    shown = [float(value) for value in re.findall(r"<small>variance ([\d.e-]+)", text)]
    np.testing.assert_allclose(shown, np.sort(variances)[::-1], rtol=1e-2)


def test_a_run_that_was_not_evaluated_and_has_no_labels(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 8, 8)), name="<script>alert(1)</script>")
    run = distaff.train("vae", data, steps=5, out=tmp_path / "a", show=False)
    text = distaff.report(run, show=False).read_text()
    assert "This run was not evaluated" in text
    assert "The data set has no labels that" in text
    assert "padded to 16x16" in text
    assert "<script>" not in text
    distaff.evaluate(run, show=False)
    assert "not applicable: it needs labels" in distaff.report(run, show=False).read_text()


def test_a_report_says_how_its_scores_were_made(tmp_path: Path, trained: Path) -> None:
    run = shutil.copytree(trained, tmp_path / "a")
    distaff.evaluate(run, representation="sampled", rows=300, metrics=["mig"], show=False)
    text = distaff.report(run, show=False).read_text()
    assert "Of this run sampled codes alone were evaluated." in text
    assert "300 images, a sample of each code; factors:" in text
    chosen: dict[str, Any] = {"metrics": ["dci"], "blocks": [[0, 1, 2], [3, 5]], "continuous": ["x"]}
    card = distaff.evaluate(run, rows=400, values_only=True, show=False, **chosen)
    text = distaff.report(run, show=False).read_text()
    assert "400 images, the mean of each code; factors: shape, scale, x (real), y; seed 0" in text
    assert "blocks of codes: 0-2, 3+5" in text
    assert "300 images, a sample of each code" in text
    assert "evaluated alone" not in text
    assert "blocks of codes: 0-2, 3+5" in str(card)


def test_the_best_is_bold_only_of_what_was_evaluated_alike(tmp_path: Path, trained: Path) -> None:
    runs = [shutil.copytree(trained, tmp_path / name) for name in ("a", "b")]

    def page(**other: Any) -> str:
        cards = [distaff.evaluate(runs[0], rows=400, metrics=["dci"], show=False)]
        cards += [distaff.evaluate(runs[1], rows=400, metrics=["dci"], show=False, **other)]
        for card, value in zip(cards, (0.2, 0.7), strict=True):  # far apart, whatever was measured
            scores = {name: replace(s, value=value, low=value, high=value) for name, s in card.scores.items()}
            folder = runs[value > 0.5]
            write_json(folder / "scores.json", replace(card, scores=scores).to_dict())
        return distaff.report(*runs, out=tmp_path / "c.html", show=False).read_text()

    assert "<b>0.700</b>" in page()
    (runs[1] / "scores.json").unlink()
    unlike = page(blocks=[[0, 1], [2]])
    assert "<b>0.700</b>" not in unlike
    assert "These evaluations differ in: blocks" in unlike


def test_a_linear_code_shows_all_its_atoms_and_others_do_not(tmp_path: Path, trained: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train("pca", data, latents=30, images=60, out=tmp_path / "a", show=False)
    text = distaff.report(run, show=False).read_text()
    assert "<h2>Atoms</h2>" in text
    shown = re.findall(r"<figcaption>z(\d+)</figcaption>", text)
    variances = run.encode(data.images(np.arange(60))).mean.var(axis=0)
    assert list(map(int, shown)) == np.argsort(-variances).tolist()
    first = run.method.atoms(run.modules)[0].numpy()
    assert picture(0.5 + 0.5 * first[None] / np.abs(first).max(), "Atom of latent z0") in text
    shutil.copytree(trained, tmp_path / "b")
    assert "<h2>Atoms</h2>" not in distaff.report(tmp_path / "b", show=False).read_text()


def test_the_numbers_of_a_fit_and_whether_it_converged(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    settings = {"latents": 3, "images": 60, "threads": 1, "show": False}
    pages = {
        most: distaff.report(
            distaff.train("ica", data, iterations=most, out=tmp_path / str(most), **settings), show=False
        ).read_text()
        for most in (1, 1000)
    }
    (line,) = distaff.load_run(tmp_path / "1").history()
    assert f'<td>squared_error</td><td class="n">{number(line["squared_error"])}</td>' in pages[1]
    assert '<td>iterations</td><td class="n">1</td>' in pages[1]
    assert "it had not converged" in pages[1]
    assert "it had not converged" not in pages[1000]


def test_no_jacobians_of_fitted_methods_or_wide_codes(
    tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "b")
    assert "Jacobian" in distaff.report(tmp_path / "b", show=False).read_text()
    monkeypatch.setattr(module, "MOST_JACOBIAN_COLUMNS", 9)
    assert "Jacobian" not in distaff.report(tmp_path / "b", show=False).read_text()
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train("pca", data, latents=3, images=60, out=tmp_path / "a", show=False)
    assert "Jacobian" not in distaff.report(run, show=False).read_text()


def test_categorical_codes_are_shown_whole_and_never_folded_away(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train("info_gan", data, steps=2, out=tmp_path / "a", threads=1, show=False)
    text = distaff.report(run, show=False).read_text()
    assert "Jacobian" not in text
    shown = text.partition("<h2>Traversals</h2>")[2].partition("</section>")[0]
    assert re.findall(r'alt="Images decoded as (\w+) moves"', shown)[0] == "k1"
    assert shown.index("as k1 moves") < (shown.index("<details>") if "<details>" in shown else len(shown))
    assert "<span>9</span>" in shown
    assert "<td>k1=9</td>" in text
    assert "<td>c2</td>" in text


def test_a_layer_that_holds_nothing_is_said_to_have_collapsed(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train("deep_vae", data, steps=2, out=tmp_path / "a", threads=1, show=False)
    (line,) = run.history()
    (run.folder / "history.jsonl").write_text(json.dumps(line | {"kl_1": 3.21, "kl_2": 0.049}) + "\n")
    text = distaff.report(run, show=False).read_text()
    assert '<tr><td>1</td><td class="n">3.210</td><td></td></tr>' in text
    assert '<tr><td>2</td><td class="n">0.049</td><td>collapsed</td></tr>' in text


@pytest.mark.parametrize(("method", "nats"), [("vae", True), ("info_wgan_gp", False)])
def test_only_what_is_in_nats_is_called_so(tmp_path: Path, method: str, nats: bool) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train(method, data, steps=2, out=tmp_path / "a", threads=1, show=False)
    training = distaff.report(run, show=False).read_text().partition("<h2>Training</h2>")[2]
    assert ("in nats per image" in training) == nats


def test_synonyms_are_shown_after_the_concepts(synonymous: Path, tmp_path: Path) -> None:
    shutil.copytree(synonymous / "operators", tmp_path / "operators")
    section = distaff.report(tmp_path / "operators", show=False).read_text().partition("<h2>Concepts</h2>")[2]
    every = re.findall(r'<img src="[^"]*" alt="Images of ([^"]*)">', section)
    assert every[8:10] == ["dub", "woog"]
    assert len(every) == 10 + 6, "of operators too"
    assert " and its synonyms (dub for white wall, hat; woog for blue floor, suitcase), and images" in section
    run = distaff.load_run(tmp_path / "operators")
    for word in ("dub", "woog"):
        assert picture(imagine(run, word).images, f"Images of {word}") in section


def test_a_run_that_knows_words_shows_its_concepts(worded: Path, tmp_path: Path) -> None:
    pages = {}
    for name in ("vision", "scan", "operators"):
        shutil.copytree(worded / name, tmp_path / name)
        pages[name] = distaff.report(tmp_path / name, show=False).read_text()
    assert "<h2>Concepts</h2>" not in pages["vision"]
    run = distaff.load_run(tmp_path / "scan")
    for name in ("scan", "operators"):
        section = pages[name].partition("<h2>Concepts</h2>")[2].partition("</section>")[0]
        every = re.findall(r'<img src="[^"]*" alt="Images of ([^"]*)">', section)
        pictures, by_operators = every[:8], every[8:]
        assert len(pictures) == 8
        assert len(by_operators) == (6 if name == "operators" else 0)
        assert [len(words.split(", ")) for words in pictures] == sorted(
            len(words.split(", ")) for words in pictures
        )
        for words in pictures:
            made = imagine(run, words)
            assert picture(made.images, f"Images of {words}") in section
            assert all(f">{1 / sigma:.1f}</text>" in section for sigma in made.sigma)
        read = run.decode_symbols(run.encode(run.data.images(np.arange(54))).mean).reshape(54, 3, 3)
        right = np.mean(read.argmax(axis=2) == run.data.factors.rows(np.arange(54))[:, :3])
        assert f"Of 54 images the surest word of each attribute is right in {right:.0%} of cases" in section
        assert "chance is 33%" in section
    for title, exact in zip(by_operators[::2], by_operators[1::2], strict=True):
        one, operator, other = re.fullmatch("(.*) (AND|IN COMMON|IGNORE) (.*)", title).groups()
        learned = combine(
            distaff.load_run(tmp_path / "operators"), one, operator.lower().replace(" ", "_"), other
        )
        assert picture(learned.images, f"Images of {title}") in pages["operators"]
        said, rest = ({*words.split(", ")} for words in (one, other))
        right = {"AND": said | rest, "IN COMMON": said & rest, "IGNORE": said - rest}
        assert {*exact.split(", ")} == right[operator]
