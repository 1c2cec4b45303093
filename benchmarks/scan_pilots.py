"""SCAN's table on seeds of its own, 100 and up, at several betas of vision: where its settings come from.

    python benchmarks/scan_pilots.py                     # in runs/pilots/scan: seed 100, on all cores
    python benchmarks/scan_pilots.py --seeds 2 --out DIR

Trains what scale nano of `scan_table` trains, and besides visions of other betas with a SCAN on each. Prints
as it goes, and writes to the folder: the experiment's table.csv and its figures; vision.csv, of every vision
run its active latents, KL, how much more of each attribute one latent tells than any other (`gap`, a share of
its entropy), and the share of attributes that a classifier finds in what it decodes (`sight`), with the
accuracy and diversity of the SCAN on it; the curriculum's table and figures.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from circumstances import ROOT

from distaff.evaluation.concept_images import image_scores, images_of
from distaff.evaluation.factor_classifier import factor_classifier
from distaff.evaluation.posterior import active, latent_kl
from distaff.experiments import scan_vision
from distaff.experiments.base import Lab, Runs
from distaff.experiments.conduct import runs_in
from distaff.experiments.scan_asked import asked
from distaff.experiments.scan_curriculum import ScanCurriculum
from distaff.experiments.scan_table import ScanTable
from distaff.metrics.information import binned_information, gap
from distaff.pages.saving import save_figures
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.studies.study import Study
from distaff.training.run import Run

FIRST = 100
#: of the vision run at the paper's 53, beside the one that the experiment has
BETAS = (0.25, 1.0, 2.0)


def shifted(part: Part) -> Part:
    """The same runs of seeds 100 and up."""
    seeds = ("seed", "set.lesson_seed")
    return [{key: value + FIRST if key in seeds else value for key, value in one.items()} for one in part]


def others(scale: Any) -> Part:
    """Visions of other betas, each with a SCAN."""
    taught = {"concepts": scale.concepts, "examples": scale.examples, "held_out": scale.held_out}
    parts = []
    for beta in BETAS:
        vision = method("beta_vae", **scan_vision.VISION, features="@denoiser", beta=beta)
        parts.append(product(vision, each(name=[f"vision, beta {beta:g}"], steps=[scale.vision_steps])))
        scan = method("scan", base=f"@vision, beta {beta:g}", lesson_seed=0, **taught)
        parts.append(product(scan, each(name=[f"SCAN, beta {beta:g}"], steps=[scale.scan_steps])))
    return product(dataset("rooms", **scale.grid), chain(*parts), each(seed=range(scale.seeds)))


def seen(run: Run, classifier: Any) -> dict[str, Any]:
    """What a vision run's codes and pictures are like."""
    index = np.random.default_rng(0).choice(len(run.data), 2000)
    codes, labels = run.encode(run.data.images(index)), run.data.factors.rows(index)
    places = [run.data.factors.position(name) for name in classifier.named]
    nats, entropies = binned_information(codes.mean.astype(float), labels[:, places], 20, False)
    told = dict(zip(classifier.named, (gap(nats) / entropies).round(3), strict=True))
    right = classifier.shown(run.decode(codes.mean)) == labels[:, places]
    return {
        "beta": getattr(run.method, "beta", None),
        "active": int(active(codes).sum()) if codes.logvar is not None else None,
        "kl": float(latent_kl(codes).sum()) if codes.logvar is not None else None,
        "sight": float(right.mean()),
        **{f"gap of {name}": value for name, value in told.items() if codes.logvar is not None},
        **{f"sight of {name}": value for name, value in zip(classifier.named, right.mean(0), strict=True)},
    }


def rows(runs: Runs, folder: Path, scale: Any) -> Iterator[dict[str, Any]]:
    """A row for every vision run, with what the SCAN on it imagines of new concepts."""
    for place in range(scale.seeds):
        own = {name: runs[name][place] for name in runs.names}
        data, seed = own["SCAN"].data, own["SCAN"].config.seed
        classifier = factor_classifier(
            data, scan_vision.ATTRIBUTES, folder / "classifiers", steps=scale.classifier_steps, seed=seed
        )
        about = asked(own["SCAN operators"].kind_of_batches, data, scale.tested, seed)
        on = {"vision 53": "SCAN"} | {name: f"SCAN{name[6:]}" for name in own if name.startswith("vision,")}
        for name, run in own.items():
            if not name.startswith(("vision", "denoiser", "JMVAE", "TrELBO")) or name.endswith("operators"):
                continue
            row = {"run": name, "seed": seed, **seen(run, classifier)}
            if name in on:
                posteriors = own[on[name]].encode_symbols(about.vocabulary.symbols(about.new))
                made = images_of(own[on[name]], posteriors, scale.images, seed)
                row |= image_scores(made, about.new, about.vocabulary, classifier).mean().to_dict()
            yield row


def main() -> None:
    """Train, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--scale", default="nano")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "pilots" / "scan")
    given = parser.parse_args()
    found, after = ScanTable(), ScanCurriculum()
    scale = type(found.at(given.scale))(**(vars_of(found.at(given.scale)) | {"seeds": given.seeds}))
    part = shifted(chain(found.runs(scale), others(scale)))
    study = Study(given.out, found.planned(given.scale, part))
    study.run(workers=given.workers, show=True)
    runs = runs_in(study)
    pd.set_option("display.width", 250, "display.max_columns", 40)
    vision = pd.DataFrame(rows(runs, given.out, scale))
    print(vision.round(3).to_string())
    vision.to_csv(given.out / "vision.csv", index=False)
    for experiment, numbers in ((found, scale), (after, after.at(given.scale))):
        lab = Lab(given.out, numbers)
        claims = [(each.claim.key, each.measured) for each in experiment.judge(lab, runs)]
        save_figures([(title, what) for kind, title, what in lab.shown if kind == "figure"], given.out)
        for title, table in ((title, what) for kind, title, what in lab.shown if kind == "table"):
            print(title, table.round(3).to_string(), sep="\n")
            table.to_csv(given.out / f"{experiment.name}-{title.split(',')[0].lower()}.csv", index=False)
        print(*claims, sep="\n", flush=True)


def vars_of(scale: Any) -> dict[str, Any]:
    """The numbers of a scale by name."""
    return {name: getattr(scale, name) for name in type(scale).__struct_fields__}


if __name__ == "__main__":
    main()
