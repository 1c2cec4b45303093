"""What SCAN takes a concept to mean, as it sees ever more varied examples."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.batches.batch import Batch
from distaff.batches.feed import Feed
from distaff.batches.lessons import vocabulary_of
from distaff.datasets import DataSet
from distaff.evaluation.concepts.images import images_of
from distaff.evaluation.concepts.scores import specificity
from distaff.evaluation.posterior import active
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.rerendered import space_of
from distaff.experiments.scan_vision import ROOMS, denoiser, visions
from distaff.methods.base import Codes
from distaff.methods.scan import Scan
from distaff.methods.state import State
from distaff.metrics.information import mutual_information_matrix
from distaff.pages.figures import axes, matrix_table
from distaff.pages.images import image_grid
from distaff.pages.palette import COLOURS, SOFT
from distaff.randomness import derived
from distaff.studies.plan import Part, chain, dataset, each, product
from distaff.training.bases import find_bases
from distaff.training.run import Run

ATTRIBUTE, WORDS = "wall_colour", "cyan wall"
TAUGHT: dict[str, Any] = {"learning_rate": 1e-3, "concepts": 1, "examples": 1}
SET = 5  # examples
#: the factors that vary in each set of examples; those of the sets before it vary too
WIDER = (("camera_yaw", "object_yaw"), ("object", "object_colour"), ("floor_colour",))
LOOKED_AT = 2000  # images, for what latents tell
EVERY = 10  # steps, between looks at the concept


class Scale(base.Scale, frozen=True):
    """Steps of the denoiser and of vision, and those that each set of examples is taught."""

    grid: Mapping[str, Any]
    denoiser_steps: int = 4500
    vision_steps: int = 6000
    taught_steps: int = 500
    seeds: int = 1


class Taught(NamedTuple):
    """What became of a concept: `steps` (t,), `specificity` (t, d) then, and posteriors after each set."""

    steps: NDArray[np.int64]
    specificity: NDArray[np.float64]
    after: list[Codes]


class ScanCurriculum(Experiment[Scale]):
    """Taught {cyan wall} by ever more varied images, SCAN forgets what it need not mean.

    Higgins et al. 2018 (arXiv:1707.03389), the figure of the curriculum: fifteen images of {cyan wall} in
    three sets of five, each more varied than the one before. With each the specificity (1 / sigma) of the
    concept's irrelevant latents falls towards the prior's 1, while that of the wall's colour stays, and what
    is imagined varies as the examples do.

    Here five rooms differ in their views alone, five also in the object and its colour, and five in the floor
    as well. SCAN learns from the five of a set, one set after the other, of this one symbol. A latent of
    vision that is active is of the factor that it tells most of; those of the wall's colour are relevant, the
    others not.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 20 seconds", {**ROOMS, "resolution": 16, "floor_colour": 3}, 3, 3, 40),
        "nano": Scale("two cores, ten minutes", ROOMS),
        "small": Scale("two cores, an hour", ROOMS, seeds=5),
        "paper": Scale("one GPU, a day", {}, 500_000, 500_000, 5000, seeds=5),
    }

    def runs(self, scale: Scale) -> Part:
        every = chain(denoiser(scale.denoiser_steps), visions(scale.vision_steps))
        return product(dataset("rooms", **scale.grid), every, each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows: list[dict[str, float]] = []
        for vision in runs["vision 53"]:
            factors, sets = told(vision), examples(vision.data, vision.config.seed)
            found = taught(vision, sets, lab.scale.taught_steps)
            if not rows:
                title = "Imagined after each set of examples, above the examples, seed 0"
                lab.figure(title, pictures(vision, sets, found))
                lab.figure("Specificity of the concept's latents, seed 0", lines(found, factors))
            rows.append({"seed": vision.config.seed, **measured(found, factors)})
        table = lab.table("Specificity after each set, means over latents", rows)
        irrelevant = table[[f"irrelevant, set {number}" for number in range(1, len(WIDER) + 1)]].to_numpy()
        yield self.found("falls", irrelevant[:, -1] / irrelevant[:, 0])
        yield self.found("each", (irrelevant[:, 1:] / irrelevant[:, :-1]).max(axis=1))
        yield self.found("prior", irrelevant[:, -1])
        yield self.found("relevant", table[f"relevant, set {len(WIDER)}"] / irrelevant[:, -1])


def told(run: Run) -> list[str]:
    """The factor that each latent (d,) tells most of; "" where it is not active."""
    space = space_of(run.data)
    index = np.random.default_rng(0).choice(len(run.data), min(LOOKED_AT, len(run.data)), replace=False)
    codes = run.encode(run.data.images(index))
    nats = mutual_information_matrix(codes.mean, space.rows(index))
    return [
        space.names[j] if alive else "" for j, alive in zip(nats.argmax(axis=1), active(codes), strict=True)
    ]


def examples(data: DataSet, seed: int) -> list[NDArray[np.int64]]:
    """Indices of the images of each set: all show the concept, and vary in the factors of WIDER so far."""
    assert data.factors is not None
    space, rng = data.factors, np.random.default_rng(derived(seed, "examples"))
    fixed, found = space.sample(1, rng)[0], []
    for attribute, value in vocabulary_of(data).read(WORDS):
        fixed[attribute] = value
    for number in range(1, len(WIDER) + 1):
        rows = np.tile(fixed, (SET, 1))
        for name in itertools.chain(*WIDER[:number]):
            rows[:, space.position(name)] = spread(space.sizes[space.position(name)], rng)
        found.append(space.index(rows))
    return found


def spread(size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """SET values below `size`, each as often as can be."""
    return rng.permutation(np.resize(rng.permutation(size), SET))


def taught(vision: Run, sets: Sequence[NDArray[np.int64]], steps: int) -> Taught:
    """Teach SCAN on a vision run the one symbol, by the images of one set after the other, `steps` each."""
    data, seed = vision.data, vision.config.seed
    vocabulary = vocabulary_of(data)
    symbols = vocabulary.symbols([vocabulary.read(WORDS)] * SET)
    method = Scan(base=str(vision.folder), **TAUGHT)
    bases, _ = find_bases(method, data)
    facts = Feed(method, data, seed, vision.device, bases).facts
    state = method.state(facts, torch.Generator().manual_seed(seed))
    state.modules.to(vision.device).train()
    at, found, after = [], [], []
    for number, index in enumerate(sets):
        batch = Batch(data.images(index), len(index), symbols=symbols).to(vision.device, data.pixel_range)
        for step in range(1, steps + 1):
            if step == 1 or step % EVERY == 0:
                at.append(number * steps + step)
                found.append(specificity(concept(method, state, batch).logvar[0]))
            rng = torch.Generator().manual_seed(derived(seed, "taught", number * steps + step))
            method.step(state, batch, rng)
        after.append(concept(method, state, batch))
    return Taught(np.array(at), np.array(found), after)


@torch.inference_mode()
def concept(method: Scan, state: State, batch: Batch) -> Codes:
    """What SCAN takes the batch's first symbol to be: mean and log-variance (1, d)."""
    codes = method.encode_symbols(state.modules, batch.symbols[:1], torch.Generator())
    return Codes(codes.mean.cpu().numpy(), codes.logvar.cpu().numpy(), None)


def measured(found: Taught, factors: Sequence[str]) -> dict[str, float]:
    """The mean specificity of relevant and of irrelevant latents after each set; NaN where there are none."""
    relevant = np.array([factor == ATTRIBUTE for factor in factors])
    others = np.array([factor not in ("", ATTRIBUTE) for factor in factors])
    row = {}
    for name, chosen in (("relevant", relevant), ("irrelevant", others)):
        for number, codes in enumerate(found.after, 1):
            each = specificity(codes.logvar[0])[chosen]
            row[f"{name}, set {number}"] = float(each.mean()) if len(each) else float("nan")
    return row


def pictures(vision: Run, sets: Sequence[NDArray[np.int64]], found: Taught) -> Figure:
    """SET images that are imagined after each set, side by side, and below them its examples."""
    imagined = [next(images_of(vision, codes, SET, number)) for number, codes in enumerate(found.after)]
    shown = vision.data.unit_images(np.concatenate(sets)).astype(np.float32)
    titles = [f"set {n + 1}" if m == SET // 2 else "" for n in range(len(sets)) for m in range(SET)]
    columns = SET * len(sets)
    return image_grid(np.concatenate([*imagined, shown]), columns, titles, ("imagined", "examples"))


def lines(found: Taught, factors: Sequence[str]) -> Figure:
    """The specificity of every active latent over steps, coloured by its factor; dashed where sets change."""
    figure, ax = axes("step", "specificity, 1 / sigma", width=8)
    names = [f"latent {j}: {factor or 'not active'}" for j, factor in enumerate(factors)]
    figure.numbers = matrix_table(found.specificity, found.steps, names, "step")
    colours = dict(zip(sorted({*factors} - {""}), COLOURS, strict=False))
    for j, factor in enumerate(factors):
        colour, label = (colours[factor], factor) if factor else (SOFT, "not active")
        ax.plot(found.steps, found.specificity[:, j], color=colour, label=label.replace("_", " "), lw=1.3)
    for number in range(1, len(found.after)):
        ax.axvline(number * found.steps[-1] / len(found.after), color=SOFT, ls="--", lw=0.8)
    ax.axhline(1, color=SOFT, lw=0.8)
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter("{x:g}")
    once = dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    ax.legend(
        once.values(), once.keys(), frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    return figure
