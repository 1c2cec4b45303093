"""Visions for SCAN on a seed of its own, 100: which denoiser and which beta separate what concepts name.

    python benchmarks/scan_pilots.py                        # in runs/pilots/scan, on all cores
    python benchmarks/scan_pilots.py --workers 12 --out DIR

Trains the denoisers, the visions and a SCAN on each, all on the rooms and lessons of experiment scan_table.
vision.csv gets a line for each vision: its KL in nats, its active latents, how much more of each attribute
one latent tells than any other (`gap`, a share of its entropy), the share of attributes that a classifier
finds in what it decodes (`sight`), and accuracy and diversity of what its SCAN imagines of 133 new concepts.
vision.png has a row for each: eight images decoded, and eight decoded from the prior. The same call again
continues.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from circumstances import ROOT
from numpy.typing import NDArray

from distaff.evaluation.concepts.classifier import factor_classifier
from distaff.evaluation.concepts.images import image_scores, images_of
from distaff.evaluation.posterior import active, latent_kl
from distaff.experiments.scan_table import Scale, ScanTable
from distaff.experiments.scan_vision import ATTRIBUTES, DENOISER, LATENTS, ROOMS
from distaff.metrics.information import binned_information, gap
from distaff.pages.contact_sheet import save_sheet
from distaff.pages.images import strip
from distaff.randomness import derived
from distaff.studies.execute import folder_of
from distaff.studies.plan import Part, Plan, chain, dataset, each, method, product, runs_of
from distaff.studies.study import Study
from distaff.training.run import load_run

SEED = 100
SHARED: dict[str, Any] = {"latents": LATENTS, "learning_rate": 1e-3}
PIXELS = {"likelihood": "gaussian", "sigma": 0.1}
DENOISERS = {"gaussian": DENOISER, "bernoulli": {**DENOISER, "likelihood": "bernoulli", "sigma": 1.0}}
BETAS = (0.3, 1.0, "linear:6:0.3:STEPS", "linear:6:1:STEPS")
PLAIN = (16.0, "linear:100:8:STEPS")


def called(name: str, steps: int, part: Part) -> Part:
    return product(part, each(name=[name], steps=[steps]))


def visions(steps: int) -> dict[str, Part]:
    """What is compared, by name; a beta that falls is at its end after three quarters of the steps."""

    def beta(value: Any) -> Any:
        return value.replace("STEPS", str(3 * steps // 4)) if isinstance(value, str) else value

    parts = {
        f"{name} {value}": method("beta_vae", **SHARED, features=f"@{name}", beta=beta(value))
        for name in DENOISERS
        for value in BETAS
    }
    return parts | {
        f"pixels {value}": method("beta_vae", **SHARED, **PIXELS, beta=beta(value)) for value in PLAIN
    }


def plan(scale: Scale) -> Plan:
    taught = {"concepts": scale.concepts, "examples": scale.examples, "held_out": scale.held_out}
    parts = [
        called(name, scale.denoiser_steps, method("autoencoder", **settings))
        for name, settings in DENOISERS.items()
    ]
    for name, part in visions(scale.vision_steps).items():
        parts.append(called(name, scale.vision_steps, part))
        scan = method("scan", base=f"@{name}", lesson_seed=SEED, **taught)
        parts.append(called(f"SCAN on {name}", scale.scan_steps, scan))
    every = product(dataset("rooms", **ROOMS), chain(*parts), each(seed=[SEED]))
    return Plan("scan_pilots", "nano", runs_of(every), metrics=(), udr_mates=0)


def described(vision: Path, scan: Path, out: Path, scale: Scale) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The line and the images of a vision run."""
    run = load_run(vision)
    knowing, space = load_run(scan, data=run.data), run.data.factors
    classifier = factor_classifier(run.data, ATTRIBUTES, out, steps=scale.classifier_steps, seed=SEED)
    index = np.random.default_rng(0).choice(len(run.data), 2000)
    codes, labels = run.encode(run.data.images(index)), space.rows(index)[:, : len(ATTRIBUTES)]
    nats, entropies = binned_information(codes.mean.astype(np.float64), labels, 20, False)
    kind: Any = knowing.kind_of_batches
    lessons = kind.lessons(run.data)
    found: dict[str, Any] = {"kl": latent_kl(codes).sum(), "active": active(codes).sum()}
    found |= {f"gap of {name}": each for name, each in zip(ATTRIBUTES, gap(nats) / entropies, strict=True)}
    right = (classifier.shown(run.decode(codes.mean)) == labels).mean(axis=0)
    found |= {f"sight of {name}": each for name, each in zip(ATTRIBUTES, right, strict=True)}
    concepts = lessons.untaught(scale.tested, np.random.default_rng(derived(SEED, "asked")))
    made = images_of(
        knowing, knowing.encode_symbols(lessons.vocabulary.symbols(concepts)), scale.images, SEED
    )
    found |= image_scores(made, concepts, lessons.vocabulary, classifier).mean().to_dict()
    prior = np.random.default_rng(1).standard_normal((8, codes.mean.shape[1]))
    return found, strip(np.concatenate([run.decode(codes.mean[:8]), run.decode(prior)]))


def main() -> None:
    """Train what is missing, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--scale", default="nano")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "pilots" / "scan")
    given = parser.parse_args()
    scale = ScanTable().at(given.scale)
    study = Study(given.out, plan(scale))
    study.run(workers=given.workers)
    done = {run.name: folder_of(study.folder, run) for run in study.plan.runs}
    names = [name for name in visions(1) if (done[f"SCAN on {name}"] / "model.safetensors").exists()]
    factor_classifier(
        load_run(done[names[0]]).data, ATTRIBUTES, given.out, steps=scale.classifier_steps, seed=SEED
    )
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        waiting = {
            name: pool.submit(described, done[name], done[f"SCAN on {name}"], given.out, scale)
            for name in names
        }
        found = {name: each.result() for name, each in waiting.items()}
    table = pd.DataFrame({name: row for name, (row, _) in found.items()}).T.round(3)
    table.to_csv(given.out / "vision.csv")
    print(table.to_string())
    save_sheet(given.out / "vision.png", names, [images for _, images in found.values()])


if __name__ == "__main__":
    main()
