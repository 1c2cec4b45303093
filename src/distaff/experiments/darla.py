"""An agent that sees by disentangled codes acts as well among colours that it never met together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.evaluation.acting.agent import Lesson
from distaff.evaluation.acting.returns import Acted, codes_of, judged, scaled
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.experiments.scan_vision import denoiser
from distaff.metrics.mig import mig
from distaff.pages.figures import Plot
from distaff.pages.palette import COLOURS, SOFT
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run
from distaff.worlds.collect import CollectWorld

DARLA, ENTANGLED = "darla", "entangled"  # the names of runs, and of the agents that stand on them
PIXELS, FACTORS = "pixels", "factors"
AGENTS = (FACTORS, PIXELS, ENTANGLED, DARLA)
SOURCE, TARGET = "source", "target"
VISION: dict[str, Any] = {"features": "@denoiser", "latents": 16, "learning_rate": 1e-3}
BETA = (3.0, 0.5)  # from the first to the second in three quarters of the steps
TINY = 1e-3  # of entangled codes


class Scale(base.Scale, frozen=True):
    """How many seeds, the steps of the denoiser and of the VAEs on it, and those of each agent."""

    seeds: int = 3
    denoiser_steps: int = 3000
    steps: int = 20_000
    acting_steps: int = 300_000


class Darla(Experiment[Scale]):
    """What an agent learns by disentangled codes it can do where colours meet that never met before.

    Higgins et al. 2017 (DARLA, arXiv:1707.08475), by its three stages, in a small world of our own (data set
    and world `collect`): a dot collects crosses, worth 1, and leaves rings, worth -1; walls and objects have
    four colours each, which mean nothing. First a beta-VAE on the features of a denoising autoencoder sees
    frames of all colours, but not the conjunctions of the target. Then DQN learns in the source from frozen
    mean codes, where each colour of the target is seen without the other. Last it acts in the target as it
    is. Beside it stand agents on codes of the same VAE with a tiny beta, which are entangled; on pixels, with
    convolutions that are learned with the rest; and on the true factors, which are the ceiling.

    A return is that of the greedy policy, expected exactly over all starts of an episode and discounted by
    .95; transfer is the return in the target over that in the source. All agents have the same layers and
    steps. The task is ours and far smaller than the paper's; what is tried is its claim, not its numbers.
    """

    scales: ClassVar = {
        "quick": Scale("one core, half a minute", seeds=1, denoiser_steps=10, steps=10, acting_steps=1_200),
        "nano": Scale("two cores, two hours"),
        "small": Scale("two cores, three hours and a half", seeds=5),
        "paper": Scale(
            "one core, a day", seeds=10, denoiser_steps=10_000, steps=50_000, acting_steps=1_000_000
        ),
    }

    def runs(self, scale: Scale) -> Part:
        first, last = BETA
        betas = {DARLA: f"linear:{first}:{last}:{max(1, 3 * scale.steps // 4)}", ENTANGLED: TINY}
        visions = [
            product(method("beta_vae", **VISION, beta=beta), each(name=[name], steps=[scale.steps]))
            for name, beta in betas.items()
        ]
        seen = dataset("collect", domain="seen")
        return product(seen, chain(denoiser(scale.denoiser_steps), *visions), each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        world = CollectWorld(runs[DARLA][0].data)
        rows: list[dict[str, Any]] = []
        for seed, (darla, entangled) in enumerate(zip(runs[DARLA], runs[ENTANGLED], strict=True)):
            known = observed(world, {DARLA: darla, ENTANGLED: entangled})
            migs = {name: mig_of(run) for name, run in ((DARLA, darla), (ENTANGLED, entangled))}
            for name in AGENTS:
                lesson = Lesson(world, known[name], lab.scale.acting_steps, seed)
                acted = judged(lesson, lab.folder / "agents", lab.show)
                rows.append({"agent": name, "seed": seed, **of_returns(acted), "mig": migs.get(name)})
        table = lab.table("Every agent", rows)
        lab.figure("Returns of every agent in the source and in the target", returns(table))
        lab.say("In the figure a line is a seed, and the broken line the best that there is.")
        yield from self.judged_by(table)

    def judged_by(self, table: pd.DataFrame) -> Iterator[Finding]:
        """The findings of a table of agents by seed."""
        of = {
            column: table.pivot(index="seed", columns="agent", values=column)
            for column in (SOURCE, "transfer", "mig")
        }
        source, transfer = of[SOURCE], of["transfer"]
        yield self.found("ceiling", source[FACTORS] / table["best"].iloc[0])
        for name in (PIXELS, ENTANGLED, DARLA):
            yield self.found(f"source_{name}", source[name] / source[FACTORS])
        yield self.found("transfer", transfer[DARLA])
        yield self.found("over_pixels", transfer[DARLA] - transfer[PIXELS])
        yield self.found("over_entangled", transfer[DARLA] - transfer[ENTANGLED])
        yield self.found("disentangled", of["mig"][DARLA] - of["mig"][ENTANGLED])


def observed(world: CollectWorld, runs: Mapping[str, Run]) -> dict[str, NDArray[Any]]:
    """What each agent observes of every state: codes of the runs, pixels, and the factors' values."""
    learned_in = world.domains[SOURCE]
    codes = {name: scaled(codes_of(run, world), learned_in) for name, run in runs.items()}
    factors = scaled(world.space.rows(world.states), learned_in)
    return codes | {PIXELS: world.data.images(world.states), FACTORS: factors}


def mig_of(run: Run) -> float:
    """The MIG of a run's mean codes of all frames that it was trained on."""
    return float(mig(every_code(run).mean, every_label(run.data)))


def of_returns(acted: Acted) -> dict[str, float]:
    """An agent's returns, the best in the source, and its transfer, none where it learned nothing."""
    source, target = acted.domains[SOURCE], acted.domains[TARGET]
    share = target.agent / source.agent if source.agent > 0 else np.nan
    return {SOURCE: source.agent, TARGET: target.agent, "best": source.best, "transfer": share}


def returns(table: pd.DataFrame) -> Plot:
    """For every agent a line a seed from its return in the source to that in the target."""
    figure = Plot((6.4, 3), layout="constrained")
    figure.numbers = table[["agent", "seed", SOURCE, TARGET, "best"]]
    ax = figure.subplots()
    for place, name in enumerate(AGENTS):
        for _, row in table[table["agent"] == name].iterrows():
            ax.plot([place - 0.2, place + 0.2], [row[SOURCE], row[TARGET]], "o-", color=COLOURS[place])
    ax.axhline(table["best"].iloc[0], linestyle="--", color=SOFT)
    ax.set_xticks(range(len(AGENTS)), [f"{name}\n{SOURCE} → {TARGET}" for name in AGENTS])
    ax.set_ylabel("expected return")
    return figure
