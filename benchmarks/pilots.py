"""Short runs on seeds of their own, 100 and up, from which the settings of a planned study are chosen.

    python benchmarks/pilots.py                  # what the table lacks
    python benchmarks/pilots.py factor_vae       # of one pilot

A function a pilot: the settings that it compares, on a data set as the scale `small` of the study of 2019
has it: dSprites at 16 pixels, if nothing else is said. What each run left is a line of
benchmarks/results/pilots/locatello2019.csv, in nats per image. `information` is that of image and code, at
most ln 18,816 = 9.84 on dSprites; `total_correlation` is against the mixture of all posteriors, and so at
least kl - 9.84 less the KL of the marginals; `discriminator_says` is what FactorVAE's own made of it. The
runs stay in runs/pilots.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from circumstances import RESULTS, ROOT
from numpy.typing import NDArray

from distaff.datasets import load_dataset
from distaff.evaluation.decomposition import log_mixture, log_normal
from distaff.evaluation.encode import Encoding, encode_run
from distaff.evaluation.posterior import latent_kl, reconstruction
from distaff.methods.factor_vae import density_ratio
from distaff.metrics import gaussian_total_correlation
from distaff.metrics.posterior import ACTIVE_KL
from distaff.scoring.score import score
from distaff.studies.locatello2019 import GRIDS, SCALES
from distaff.studies.plan import Part, PlannedRun, chain, dataset, each, method, product, runs_of
from distaff.training.run import Run
from distaff.training.train import train

TABLE = RESULTS / "pilots" / "locatello2019.csv"
SMALL = SCALES["small"]
SEEDS = (100, 101)
STEPS = 2000  # what dies in the study's 5,000 steps dies in fewer
SCORES = ("mig", "factor_vae_score")
SCORED, SAMPLED = 5000, 200  # images behind the scores; codes behind the total correlation


def factor_vae() -> Part:
    """Whether the total correlation falls with gamma, by the step size of the discriminator."""
    part = each(**{"set.discriminator_learning_rate": [1e-3, 1e-4, 3e-3], "set.gamma": [10, 100]})
    return product(method("factor_vae", second_batch=False, discriminator_width=256), part)


def annealed_vae() -> Part:
    """Which gamma leaves no run dead, where the capacity grows in a third of the steps, as in the paper."""
    capacities = [f"linear:0:{capacity}:{STEPS // 3}" for capacity in (5, 50)]
    return product(method("annealed_vae"), each(**{"set.gamma": [100, 1000], "set.capacity": capacities}))


def others() -> Part:
    """What dies, and what methods differ in, at the weakest and the strongest value of each."""
    return chain(
        *(method("dip_vae_ii", lambda_od=value, lambda_d=value) for value in (1, 50)),
        *(method("beta_vae", beta=value) for value in (1, 16)),
        *(method("beta_tc_vae", beta=value) for value in (1, 10)),
        *(method("dip_vae_i", lambda_od=value, lambda_d=10 * value) for value in (1, 50)),
    )


def long() -> Part:
    """Some of the same for all the steps of the study."""
    factor = method(
        "factor_vae", second_batch=False, discriminator_width=256, discriminator_learning_rate=1e-3
    )
    capacity = f"linear:0:5:{SMALL.steps // 3}"
    return chain(
        product(factor, each(**{"set.gamma": [10]})), method("annealed_vae", gamma=100, capacity=capacity)
    )


def elsewhere() -> Part:
    """Whether FactorVAE, the most delicate, lives with the settings that dSprites at 16 pixels chose."""
    rates = {"discriminator_width": 256, "discriminator_learning_rate": 1e-3}
    return method("factor_vae", second_batch=False, gamma=10, **rates)


class Pilot(NamedTuple):
    """The settings that are compared, for how many steps, on what data."""

    make: Callable[[], Part]
    steps: int = STEPS
    data: str = "dsprites"
    resolution: int = SMALL.resolution or 64
    seeds: tuple[int, ...] = SEEDS


PILOTS = {
    "factor_vae": Pilot(factor_vae),
    "annealed_vae": Pilot(annealed_vae),
    "others": Pilot(others),
    "long": Pilot(long, SMALL.steps),
    "at 32 pixels": Pilot(elsewhere, resolution=32, seeds=SEEDS[:1]),
    "shapes3d": Pilot(elsewhere, data="shapes3d", seeds=SEEDS[:1]),
}


def planned(pilot: str) -> tuple[PlannedRun, ...]:
    """The runs of a pilot, with the grids, the speed and the weight of reconstructions of scale `small`."""
    make, steps, data, resolution, seeds = PILOTS[pilot]
    images = dataset(data, resolution=resolution, **GRIDS[SMALL.grid][data])
    weight = (64 / resolution) ** 2
    common = each(**{"set.learning_rate": [1e-3], "set.reconstruction_weight": [weight]}, steps=[steps])
    return runs_of(product(images, make(), common, each(seed=seeds)))


def measured(run: Run) -> dict[str, float]:
    """What a run left, on its whole grid."""
    codes = encode_run(run, None, show=False)
    rows = np.random.default_rng(0).permutation(len(codes.rows))[:SCORED]
    labels = run.data.labels(codes.rows[rows])
    card = score(codes.mean[rows], labels, metrics=SCORES, values_only=True)
    few = rows[:SAMPLED]
    found = {
        "kl": float(latent_kl(codes).sum()),
        "active_by_kl": int((latent_kl(codes) > ACTIVE_KL).sum()),
        "active_by_mean": int((codes.mean.var(axis=0) > 0.01).sum()),
        "reconstruction": reconstruction(run, codes.rows[few], codes.sample[few]),
        **parts_of_kl(codes, few),
        "gaussian_tc_sampled": gaussian_total_correlation(codes.sample),
        "gaussian_tc_mean": gaussian_total_correlation(codes.mean),
    }
    found["discriminator_says"] = math.nan
    if "discriminator" in run.modules:
        with torch.inference_mode():
            logits = run.modules["discriminator"](torch.from_numpy(codes.sample))
        found["discriminator_says"] = float(density_ratio(logits))
    return found | {name: card[name].value for name in SCORES}


def parts_of_kl(codes: Encoding, rows: NDArray[np.int64]) -> dict[str, float]:
    """`information` I(z; n) and `total_correlation`, at the samples of some rows; q(z) is of all images."""
    sample, mean, logvar = (
        values.astype(np.float64) for values in (codes.sample[rows], codes.mean, codes.logvar)
    )
    of_own = log_normal(sample, mean[rows], logvar[rows]).sum(axis=1)
    log_q, log_marginals = log_mixture(sample, mean, logvar)
    parts = {"information": of_own - log_q, "total_correlation": log_q - log_marginals.sum(axis=1)}
    return {name: float(each.mean()) for name, each in parts.items()}


def line(pilot: str, run: PlannedRun) -> dict[str, Any]:
    """A run's line of the table: it is trained and measured."""
    began, data = time.process_time(), load_dataset(run.dataset, **run.options)
    folder = ROOT / "runs" / "pilots" / run.id
    trained = train(run.made, data, steps=run.steps, seed=run.seed, out=folder, threads=1, show=False)
    facts = {"pilot": pilot, "run": run.id, "dataset": run.dataset, "method": run.method}
    facts |= {"settings": json.dumps(run.settings), "steps": run.steps, "seed": run.seed}
    found = {name: round(value, 3) for name, value in measured(trained).items()}
    return facts | found | {"cpu_seconds": round(time.process_time() - began)}


def main() -> None:
    """Make the lines that the table lacks, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pilots", nargs="*", metavar="PILOT", help=", ".join(PILOTS), default=list(PILOTS))
    TABLE.parent.mkdir(exist_ok=True)
    asked = [(pilot, run) for pilot in parser.parse_args().pilots for run in planned(pilot)]
    for pilot, run in sorted(asked, key=lambda each: each[1].seed):
        if not TABLE.exists() or run.id not in set(pd.read_csv(TABLE)["run"]):
            new = pd.DataFrame([line(pilot, run)])
            new.to_csv(TABLE, mode="a", header=not TABLE.exists(), index=False)
            print(new.drop(columns=["pilot", "run", "steps"]).to_string(header=False), flush=True)


if __name__ == "__main__":
    main()
