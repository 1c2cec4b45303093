"""What each attribute has to do with scan_table's accuracy: whether models see it, and imagine it.

    python benchmarks/scan_table_parts.py   # after benchmarks/experiments.py scan_table --scale small

Writes benchmarks/results/scan_table_parts.csv, a line for each model, seed and number, by attribute: `sight`,
the share of images whose value the classifier finds in what their codes are decoded to, and `symbols`, the
share of images of new concepts that show the value that they name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from circumstances import ROOT, keep_table

from distaff import registry
from distaff.evaluation.concepts.classifier import FactorClassifier
from distaff.evaluation.concepts.images import images_of
from distaff.experiments.conduct import runs_in
from distaff.experiments.scan_asked import Asked, answers, read, sight
from distaff.experiments.scan_table import prepared
from distaff.experiments.scan_vision import ATTRIBUTES
from distaff.randomness import derived
from distaff.studies.study import Study
from distaff.training.run import Run

FOLDER = ROOT / "runs" / "experiments" / "scan_table-small"
MODELS = ("JMVAE", "SCAN_U 0.1", "SCAN_U 1", "SCAN_U 20", "SCAN")


def rows() -> Iterator[dict[str, Any]]:
    """The lines of the table, of the experiment's runs, which have to be done."""
    judge = registry.get("experiments", "scan_table")("scan_table")
    scale, runs = judge.at("small"), runs_in(Study(FOLDER / "study", judge.plan("small")))
    for place in range(scale.seeds):
        own = {name: runs[name][place] for name in runs.names}
        seed = own["SCAN"].config.seed
        about, classifier = prepared(own, scale, FOLDER, seed)
        for model in MODELS:
            named = {"model": model, "seed": seed}
            yield {**named, "number": "sight", **seen(own[model], about, classifier, seed)}
            made = own[model], own[f"{model} operators"]
            imagined = symbols(*made, about, classifier, scale.images, seed)
            yield {**named, "number": "symbols", **imagined}


def seen(run: Run, about: Asked, classifier: FactorClassifier, seed: int) -> dict[str, float]:
    """By attribute the share of the experiment's own images in whose reconstruction its value is found."""
    means, rows = read(run, about, seed)
    return sight(run, means, rows, about, classifier)


def symbols(
    run: Run, recombining: Run, about: Asked, classifier: FactorClassifier, images: int, seed: int
) -> dict[str, float]:
    """By attribute the share of images of new concepts that name it that show what they name."""
    posteriors, concepts = answers(run, recombining, about, seed)["symbols"]
    hits: dict[str, list[float]] = {name: [] for name in ATTRIBUTES}
    made = images_of(run, posteriors, images, derived(seed, "symbols"))
    for each, concept in zip(made, concepts, strict=True):
        shown = classifier.shown(each)
        for attribute, value in concept:
            name = about.vocabulary.space.names[attribute]
            hits[name].append(float((shown[:, ATTRIBUTES.index(name)] == value).mean()))
    return {name: float(np.mean(found)) for name, found in hits.items()}


if __name__ == "__main__":
    table = keep_table("scan_table_parts.csv", rows())
    print(table.groupby(["number", "model"], sort=False)[list(ATTRIBUTES)].mean().round(2))
