"""Short runs of JMVAE and TELBO on seeds of their own, 100 and up: at which settings words reach images.

    python benchmarks/concept_pilots.py           # what the table lacks

Rooms of 8 colours at 32 pixels, 133 concepts of ten images each. A run is a line of the table
benchmarks/results/pilots/concept_baselines.csv: the shares of what concepts ask for that a classifier,
trained apart, finds in 20 images of each (`accuracy`, of 66 taught concepts and of 66 new ones), how far what
they leave open is from uniform (`diversity`, nats, lower is better), the words read off 1,000 images
(`agreement`), and what the classifier finds in these images once they were coded and decoded (`sight`). The
command that trains the same run stands beside it. Runs and classifier stay in runs/pilots.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from circumstances import RESULTS, ROOT
from PIL import Image

from distaff import registry
from distaff.concepts import Concept
from distaff.datasets import load_dataset
from distaff.evaluation.concepts.classifier import FactorClassifier, factor_classifier
from distaff.evaluation.concepts.scores import accuracy, agreement, diversity
from distaff.randomness import derived
from distaff.training.run import Run
from distaff.training.train import train

TABLE = RESULTS / "pilots" / "concept_baselines.csv"
FOLDER = ROOT / "runs" / "pilots"
GRID: dict[str, Any] = {"resolution": 32, "wall_colour": 8, "floor_colour": 8, "object_colour": 8}
COMMON: dict[str, Any] = {"latents": 12, "learning_rate": 1e-3, "reconstruction_weight": 4.0}
SEED = 100
ASKED, IMAGES, READ = 66, 20, 1000

#: method, what it has beside COMMON, steps
PILOTS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("jmvae", {}, 1500),
    ("telbo", {}, 1500),
    ("telbo", {"own_symbol_weight": 10.0}, 1500),
    ("jmvae", {"symbol_weight": 50.0}, 1500),
    ("jmvae", {"alpha": 0.1}, 1500),
    ("jmvae", {}, 3000),
    ("telbo", {}, 3000),
)


def settings(own: dict[str, Any]) -> dict[str, Any]:
    """All settings of a run that has some of its own."""
    return COMMON | own | {"lesson_seed": SEED}


def command(method: str, given: dict[str, Any], steps: int) -> str:
    """What trains such a run."""
    data = " ".join(f"--data {name}={value}" for name, value in GRID.items())
    sets = " ".join(f"--set {name}={value}" for name, value in given.items())
    return f"distaff train {method} --dataset rooms {data} {sets} --steps {steps} --seed {SEED} --threads 1"


def line(method: str, own: dict[str, Any], steps: int) -> dict[str, Any]:
    """A run's line of the table: it is trained, measured, and 12 images each of some concepts are kept."""
    began, data = time.process_time(), load_dataset("rooms", **GRID)
    folder = FOLDER / "_".join([method, *(f"{name}={value}" for name, value in own.items())])
    run = train(method, data, steps=steps, seed=SEED, out=folder, threads=1, show=False, **settings(own))
    kind = registry.get("batches", "symbols")(**run.method.batch_options)
    vocabulary, lessons = kind.vocabulary(data), kind.lessons(data)
    classifier = factor_classifier(data, vocabulary.named, FOLDER, seed=SEED)
    new = lessons.untaught(ASKED, np.random.default_rng(derived(SEED, "asked")))
    assert data.factors is not None
    index = np.random.default_rng(derived(SEED, "read")).choice(len(data), READ)
    codes, rows = run.encode(data.images(index)), data.factors.rows(index)
    places = [data.factors.position(name) for name in vocabulary.named]
    found = {
        **imagined(run, lessons.taught[::2][:ASKED], classifier, "taught"),
        **imagined(run, new, classifier, "new"),
        "agreement": agreement(run.decode_symbols(codes.mean), rows, vocabulary),
        "sight": float((classifier.shown(run.decode(codes.mean)) == rows[:, places]).mean()),
        "classifier": classifier.accuracy,
    }
    picture(run, [*lessons.taught[::19], *new[::13]], folder / "concepts.png")
    kept = {"method": method, "settings": json.dumps(settings(own)), "steps": steps, "seed": SEED}
    measured = {name: round(value, 3) for name, value in found.items()}
    spent = {"cpu_seconds": round(time.process_time() - began)}
    return kept | measured | spent | {"command": command(method, settings(own), steps)}


def drawn(run: Run, concepts: Sequence[Concept], count: int) -> np.ndarray:
    """`count` images of every concept, (concepts, count, C, H, W)."""
    kind = registry.get("batches", "symbols")(**run.method.batch_options)
    symbols = kind.vocabulary(run.data).symbols(concepts).repeat(count, axis=0)
    images = run.decode(run.encode_symbols(symbols, derived(SEED, "drawn")).sample)
    return images.reshape(len(concepts), count, *images.shape[1:])


def imagined(
    run: Run, concepts: Sequence[Concept], classifier: FactorClassifier, which: str
) -> dict[str, float]:
    """Accuracy and diversity, means over concepts."""
    kind = registry.get("batches", "symbols")(**run.method.batch_options)
    vocabulary = kind.vocabulary(run.data)
    images = map(classifier.shown, drawn(run, concepts, IMAGES))
    pairs = list(zip(images, concepts, strict=True))
    return {
        f"{score.__name__}_{which}": float(np.nanmean([score(*pair, vocabulary) for pair in pairs]))
        for score in (accuracy, diversity)
    }


def picture(run: Run, concepts: Sequence[Concept], path: Any) -> None:
    """A row of images for every concept."""
    rows = drawn(run, concepts, 12).transpose(0, 3, 1, 4, 2)  # (concepts, H, 12, W, C)
    pixels = rows.reshape(len(concepts) * rows.shape[1], -1, 3)
    Image.fromarray((255 * pixels).astype(np.uint8)).save(path)


def main() -> None:
    """Make the lines that the table lacks, one after the other."""
    TABLE.parent.mkdir(exist_ok=True)
    for method, own, steps in PILOTS:
        given = json.dumps(settings(own))
        kept = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=["method", "settings", "steps"])
        if ((kept["method"] == method) & (kept["settings"] == given) & (kept["steps"] == steps)).any():
            continue
        new = pd.DataFrame([line(method, own, steps)])
        new.to_csv(TABLE, mode="a", header=not TABLE.exists(), index=False)
        print(new.drop(columns=["seed", "command"]).to_string(header=False), flush=True)


if __name__ == "__main__":
    main()
