"""What is in the codes of darla's visions, and what agents make of it that are told it plainly.

    python benchmarks/darla_parts.py   # after benchmarks/experiments.py darla --scale nano; half an hour

For each vision and seed networks learn to read every factor from codes of half of the source's frames, and
read the other half and the target. An agent then learns from the values that were read, in place of codes:
were the agent on codes held back by how they say things, and not by what, this one would do far better.
Writes benchmarks/results/darla_parts.csv: KL in nats, the share of values read rightly by domain, of the
dot, the cross, the ring and the colours, and the returns of the agent on codes and of that on values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from circumstances import ROOT, keep_table
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from distaff import registry
from distaff.evaluation.acting.agent import Lesson
from distaff.evaluation.acting.returns import judged, scaled
from distaff.experiments.conduct import runs_in
from distaff.experiments.darla import DARLA, ENTANGLED, SOURCE, TARGET, observed
from distaff.metrics.threads import quiet
from distaff.studies.study import Study
from distaff.worlds.collect import CollectWorld

FOLDER = ROOT / "runs" / "experiments" / "darla-nano"
LEARNED_FROM = 6000  # frames, at most
PARTS = {  # their factors
    "dot": ("x", "y"),
    "cross": ("cross_x", "cross_y"),
    "ring": ("ring_x", "ring_y"),
    "colours": ("wall_colour", "object_colour"),
}


def rows() -> Iterator[dict[str, Any]]:
    """The lines of the table, of the experiment's runs, which have to be done."""
    experiment = registry.get("experiments", "darla")("darla")
    steps = experiment.at("nano").acting_steps
    runs = runs_in(Study(FOLDER / "study", experiment.plan("nano")))
    world = CollectWorld(runs[DARLA][0].data)
    truth = world.space.rows(world.states)
    for seed in range(experiment.at("nano").seeds):
        visions = {name: runs[name][seed] for name in (DARLA, ENTANGLED)}
        codes = observed(world, visions)
        for name, run in visions.items():
            read = values_read(codes[name], truth, world, seed)
            told = scaled(read, world.domains[SOURCE])
            agents = {"codes": codes[name], "values": told}
            row = {"vision": name, "seed": seed, "kl": run.history()[-1]["kl"]}
            for domain in (SOURCE, TARGET):
                right = (read == truth)[world.domains[domain]].mean(axis=0)
                for part, names in PARTS.items():
                    row[f"{part}, {domain}"] = right[[world.space.position(each) for each in names]].mean()
            for what, observations in agents.items():
                acted = judged(Lesson(world, observations, steps, seed), FOLDER / "agents", False)
                row |= {f"on {what}, {domain}": acted.domains[domain].agent for domain in (SOURCE, TARGET)}
            yield row


def values_read(
    codes: NDArray[np.float32], truth: NDArray[np.int64], world: CollectWorld, seed: int
) -> NDArray[np.int64]:
    """The values (s, k) that networks read from codes (s, d) of frames that they did not learn from."""
    source = world.domains[SOURCE]
    halves = np.array_split(np.random.default_rng(seed).permutation(source), 2)
    read = np.empty_like(truth)
    for learned, others in (halves, halves[::-1]):
        rest = np.concatenate([others, np.setdiff1d(np.arange(len(codes)), source)])
        some = learned[:LEARNED_FROM]
        for factor in range(truth.shape[1]):
            with quiet():
                reader = MLPClassifier(128, max_iter=60, random_state=seed).fit(
                    codes[some], truth[some, factor]
                )
            read[rest, factor] = reader.predict(codes[rest])
    return read


if __name__ == "__main__":
    keep_table("darla_parts.csv", rows())
