"""SCAN's table: what models imagine of concepts, taught, new, and made by operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray

from distaff.concepts import OPERATORS, in_words
from distaff.evaluation.concepts.classifier import FactorClassifier, factor_classifier
from distaff.evaluation.concepts.images import images_of
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.scan_asked import KINDS, Asked, answers, asked, scores
from distaff.experiments.scan_vision import ATTRIBUTES, LATENTS, PAPER_BETA, ROOMS, denoiser, visions
from distaff.methods.base import Codes
from distaff.pages.figures import bars
from distaff.pages.images import image_grid
from distaff.studies.plan import Part, chain, dataset, each, method, product, zipped
from distaff.training.run import Run

LOWER = (0.1, 1.0, 20.0)  # the paper's betas of vision that is less structured
BASELINES = ("TrELBO", "JMVAE")
BASELINE: dict[str, Any] = {"latents": LATENTS, "learning_rate": 1e-3, "reconstruction_weight": 4.0}
SCAN: dict[str, Any] = {"batch_size": 64}  # at 16, its default, words were right less often
QUICK = {
    "resolution": 16,
    "wall_colour": 4,
    "floor_colour": 2,
    "object_colour": 2,
    "camera_yaw": 2,
    "object_yaw": 2,
}
#: of the denoiser, vision, SCAN, its operators, the baselines and the classifier
QUICK_STEPS = (3, 3, 3, 3, 3, 3)
PAPER_STEPS = (500_000, 500_000, 125_000, 100_000, 250_000, 20_000)
UNSTRUCTURED = tuple(f"SCAN_U {beta:g}" for beta in LOWER)
ROWS = (*BASELINES, "SCAN_R", *UNSTRUCTURED, "SCAN")


class Scale(base.Scale, frozen=True):
    """Steps of every stage; lessons; concepts that are tested, per operator too, and images of each."""

    grid: Mapping[str, Any]
    denoiser_steps: int = 4500
    vision_steps: int = 6000
    scan_steps: int = 5000
    operator_steps: int = 1500
    baseline_steps: int = 3000
    classifier_steps: int = 1500
    concepts: int = 133
    examples: int = 10
    held_out: int = 37
    pairs: int = 200  # so many that some concepts are left of which no operator saw images
    tested: int = 133
    images: int = 50
    seeds: int = 1


class ScanTable(Experiment[Scale]):
    """SCAN imagines new concepts rightly and freely; entangled vision, the reverse KL and joint VAEs do not.

    Higgins et al. 2018 (arXiv:1707.03389), table 1, as lecture slides give it: 133 concepts of DeepMind Lab
    are taught by ten images each, and of images made of concepts a classifier tells how many of the
    attributes asked for they show (accuracy), and how far the others are from showing any value as often
    (diversity, the KL from uniform, lower is better). SCAN beats SCAN_U, whose vision is a beta-VAE of a
    lower beta, in accuracy; SCAN_R, with the reverse KL, in diversity; and JMVAE and TrELBO where operators
    make new concepts of two known ones.

    Here it is drawn rooms of 8 colours at 32 pixels. Of the 1,536 concepts that name all four attributes as
    large a share is held out (37) as the paper's 300 of 12,288: no example shows one. Vision sees all images,
    without words. Betas are the paper's: 53 has the strength that pilots found, which falls in training, and
    the others have their share of it. Concepts that are tested are from all levels, and none of them was
    taught; those that operators make are of pairs of taught concepts, and none was made in their training.
    Operators are trained on the baselines' concepts too. The baselines see the images of the lessons alone,
    SCAN's vision all images. A classifier for each seed, tried on images it never saw, says what images show,
    50 of each concept. Diversity is in nats, the mean over attributes left open and over concepts, of
    frequencies with one image more of every value: its size cannot be compared with the paper's.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, a minute", QUICK, *QUICK_STEPS, 20, 3, 4, 20, 8, 6),
        "nano": Scale("two cores, half an hour", ROOMS),
        "small": Scale("two cores, an hour and a half", ROOMS, seeds=3),
        "paper": Scale("one GPU, two days", {}, *PAPER_STEPS, held_out=300, seeds=5),
    }

    def runs(self, scale: Scale) -> Part:
        taught = {"concepts": scale.concepts, "examples": scale.examples, "held_out": scale.held_out}
        seeds = range(scale.seeds)
        betas = (PAPER_BETA, *LOWER)
        alone = chain(denoiser(scale.denoiser_steps), visions(scale.vision_steps, betas))
        models = [
            _called(row, scale.scan_steps, method("scan", base=f"@vision {beta:g}", **SCAN, **taught))
            for row, beta in zip(("SCAN", *UNSTRUCTURED), betas, strict=True)
        ]
        reverse = method("scan", base=f"@vision {PAPER_BETA:g}", grounding="reverse", **SCAN, **taught)
        models.append(_called("SCAN_R", scale.scan_steps, reverse))
        models += [
            _called(row, scale.baseline_steps, method(name, **BASELINE, **taught))
            for row, name in zip(BASELINES, ("telbo", "jmvae"), strict=True)
        ]
        lessons = each(**{"set.lesson_seed": seeds})  # each seed teaches other concepts
        combining = [
            _called(f"{row} operators", scale.operator_steps, method("scan_operators", base=f"@{row}"))
            for row in ROWS
        ]
        operators = product(chain(*combining), each(**{"set.pairs": [scale.pairs]}))
        return product(
            dataset("rooms", **scale.grid),
            chain(
                product(chain(alone, operators), each(seed=seeds)),
                product(chain(*models), zipped(lessons, each(seed=seeds))),
            ),
        )

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows, classifiers = [], []
        for place in range(lab.scale.seeds):
            own = {name: runs[name][place] for name in runs.names}
            seed = own["SCAN"].config.seed
            about, classifier = prepared(own, lab.scale, lab.folder, seed)
            classifiers.append(classifier.accuracy)
            for row in ROWS:
                pair = own[row], own[f"{row} operators"]
                found = scores(*pair, about, classifier, lab.scale.images, seed)
                rows.append({"model": row, "seed": seed, **found})
            if not place:
                show_samples(lab, own, about)
        yield from self.judged_by(lab, pd.DataFrame(rows), classifiers)

    def judged_by(
        self, lab: Lab[Scale], table: pd.DataFrame, classifiers: Sequence[float]
    ) -> Iterator[Finding]:
        """What rows of what `described` gave say, also those that were kept."""
        lab.table("What was measured, of every seed", table)
        for number in ("accuracy", "diversity"):
            ours = lab.table(
                f"{number.capitalize()}, means over seeds, beside the paper's", beside(table, number)
            )
            drawn = ours.set_index("model")[list(KINDS)]
            lab.figure(f"{number.capitalize()} of images of concepts, means over seeds", bars(drawn, number))
        of = {str(model): part.reset_index(drop=True) for model, part in table.groupby("model")}
        right = {model: part["accuracy, symbols"] for model, part in of.items()}
        made = {model: part["accuracy, operators"] for model, part in of.items()}
        yield self.found("symbols", right["SCAN"] - np.max([right[row] for row in UNSTRUCTURED], axis=0))
        yield self.found("diversity", shares(of["SCAN"], of["SCAN_R"]))
        yield self.found("operators", made["SCAN"] - np.max([made[row] for row in BASELINES], axis=0))
        yield self.found("agreement", of["SCAN"]["agreement"])
        yield self.found("classifier", classifiers)


def prepared(own: Mapping[str, Run], scale: Scale, folder: Path, seed: int) -> tuple[Asked, FactorClassifier]:
    """What runs of a seed, by their names, are asked, and who judges their images, kept in a folder."""
    data = own["SCAN"].data
    about = asked(own["SCAN operators"].kind_of_batches, data, scale.tested, seed)
    kept, steps = folder / "classifiers", scale.classifier_steps
    return about, factor_classifier(data, ATTRIBUTES, kept, steps=steps, seed=seed)


def _called(name: str, steps: int, part: Part) -> Part:
    return product(part, each(name=[name], steps=[steps]))


def shares(own: pd.DataFrame, other: pd.DataFrame) -> NDArray[np.float64]:
    """For every seed the largest share, of the three kinds of concepts, that a diversity is of another."""
    columns = [f"diversity, {kind}" for kind in KINDS]
    return np.asarray((own[columns] / other[columns]).max(axis=1))


class Published(Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the paper's table, in the order of KINDS."""

    model: str
    accuracy: tuple[float, ...]
    diversity: tuple[float, ...]


def published() -> tuple[Published, ...]:
    """The paper's table."""
    text = files("distaff.experiments").joinpath("scan_published.toml").read_bytes()
    found: dict[str, tuple[Published, ...]] = msgspec.toml.decode(text, type=dict[str, tuple[Published, ...]])
    return found["rows"]


def beside(table: pd.DataFrame, number: str) -> pd.DataFrame:
    """Our means over seeds of "accuracy" or "diversity", and after them those of the paper."""
    means = table.groupby("model").mean(numeric_only=True)
    rows = []
    for theirs in published():
        ours = {kind: means.loc[theirs.model, f"{number}, {kind}"] for kind in KINDS}
        paper = dict(zip([f"{kind}, paper" for kind in KINDS], getattr(theirs, number), strict=True))
        rows.append({"model": theirs.model, **ours, **paper})
    return pd.DataFrame(rows)


def show_samples(lab: Lab[Scale], own: Mapping[str, Run], about: Asked) -> None:
    """Figures of a new concept and of one of every operator, as each model imagines them."""
    told = [("symbols", 0, about.vocabulary.describe(about.new[0]))]
    for number, name in enumerate(OPERATORS):
        if number in about.operators:
            place = int(np.flatnonzero(about.operators == number)[0])
            first, second = (
                about.vocabulary.describe(about.vocabulary.concept(y)) for y in about.pairs[place]
            )
            told.append(("operators", place, in_words(f"{{{first}}}", name, f"{{{second}}}")))
    for kind, place, words in told:
        lab.figure(f"{words}, seed 0", image_grid(_samples(own, about, kind, place), 8, rows_are=ROWS))


def _samples(own: Mapping[str, Run], about: Asked, kind: str, place: int) -> NDArray[np.float32]:
    found = []
    for row in ROWS:
        posteriors, _ = answers(own[row], own[f"{row} operators"], about, 0)[kind]
        one = Codes(*(None if part is None else part[place : place + 1] for part in posteriors))
        found.append(next(images_of(own[row], one, 8, 0)))
    return np.concatenate(found)
