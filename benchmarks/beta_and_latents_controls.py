"""Why is the best constraint of beta_and_latents no stronger with more latents? A score that sees no mixing.

    python benchmarks/beta_and_latents_controls.py FOLDER   # ten minutes of a core

FOLDER is that of the experiment at scale small, whose runs are scored here; nothing is trained. The beta-VAE
score is of a linear classifier, which may undo a linear mixing of codes if it has enough of them. Predicted
before the first number was seen, at nano's known results: if that is why 20 latents score above .98 nearly
everywhere, their means turned at random score within .01 of what they score as they are (at each of the four
weakest constraints, mean over seeds), and MIG, which sees a turn, has its best constraint there inside the
grid and no weaker than with 4 latents. If the codes of 20 latents are well separated at weak constraints, a
turn costs the score more than .01, or MIG too is best at the weakest.

Writes benchmarks/results/beta_and_latents_controls.csv: a line for each run, with the beta-VAE score of its
means as they are and turned, and MIG.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from circumstances import keep_table
from scipy.stats import ortho_group

from distaff.experiments.base import every_code, every_label
from distaff.experiments.beta_and_latents import BetaAndLatents
from distaff.experiments.conduct import runs_in
from distaff.metrics.beta_vae_score import beta_vae_score
from distaff.metrics.mig import mig
from distaff.studies.study import Study

SMALL = BetaAndLatents.scales["small"]


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of the table, of the experiment's finished runs."""
    plan = BetaAndLatents("beta_and_latents").plan("small")
    assert plan is not None
    runs = runs_in(Study(folder / "study", plan))
    for run in runs:
        labels, means, seed = every_label(run.data), every_code(run).mean, run.config.seed
        latents, beta = means.shape[1], float(run.config.settings["beta"])
        turn = ortho_group.rvs(latents, random_state=seed)
        yield {
            "latents": latents,
            "normalised beta": round(beta * latents / SMALL.resolution**2, 6),
            "seed": seed,
            "score": beta_vae_score(means, labels, votes=SMALL.votes, seed=seed),
            "turned": beta_vae_score(means @ turn, labels, votes=SMALL.votes, seed=seed),
            "mig": mig(means, labels),
        }


if __name__ == "__main__":
    keep_table("beta_and_latents_controls.csv", rows(Path(sys.argv[1])))
