"""Identity in one group of a Boltzmann machine's units and the rest in the other, by clamping pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.methods import disbm
from distaff.pages.figures import bars
from distaff.pages.images import image_grid
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run

Array = NDArray[Any]
BOTH, CLAMPED, NONE = "both", "clamped", "no pairs"  # what pairs teach, in the names of the runs
PAIRS: dict[str, dict[str, Any]] = {
    BOTH: {"pairs": "both", "manifold_weight": 20.0, "margin": 2.0},
    CLAMPED: {"pairs": "clamping"},
    NONE: {"pairs": "none"},
}
FOLDS, INVERSE_PENALTY = 8, 10.0  # of the probes
FRAME = 0.5  # grey round each image, for white patterns would run into white margins
LEAST = 1e-3  # gap, by which another one is divided


class World(NamedTuple):
    """A data set, how many of its factors h is of, and the label of each group of units that is read."""

    data: str
    identity_factors: int
    identity: str
    pose: str
    settings: dict[str, Any]


WORLDS = {
    "patterns": World("shifted_patterns", 1, "pattern", "shift", {"latents": 40, "interactions": 32}),
    "digits": World("turned_digits", 2, "digit", "angle", {"latents": 120, "interactions": 64}),
}


class Scale(base.Scale, frozen=True):
    """How many seeds, and the steps on each data set, in which the learning rate goes down to 0."""

    seeds: int = 3
    patterns: int = 1500
    digits: int = 1500


class DisBM(Experiment[Scale]):
    """Of two groups of a Boltzmann machine's units one tells identity and one pose, if pairs teach it.

    Reed et al. 2014 (Learning to disentangle factors of variation with manifold interaction, PMLR 32(2):1431)
    at small scale: not the paper's faces, features or numbers, but its idea. Four patterns of 8x8 pixels at
    eight shifts, and ten writings of each digit at five angles. In training pairs of images share the
    identity (the pattern, or the digit and its writing) or the pose (the shift, or the angle). They have the
    units of one group in common, by clamping, and the manifold loss draws those units together that each
    image has on its own. Beside this, clamping without the manifold loss, and as the control the same machine
    on as many images that no one has paired.

    What a group of units tells is read by a linear probe, logistic regression on its mean activities: the
    pattern or digit at shifts or angles that the probe has not seen, and the shift or angle of patterns or
    writings that it has not seen. Chance is 1/4 and 1/8 for patterns and shifts, 1/10 and 1/5 for digits and
    angles. The machine has seen all images, without labels. The gap is the mean over identity and pose of
    what the right group tells less what the other one does. The error of images decoded from their codes is
    that of all pixels, as a share of the error of the mean image; an untrained machine's is above 1.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 15 seconds", seeds=1, patterns=20, digits=20),
        "nano": Scale("one core, four minutes"),
        "small": Scale("one core, 12 minutes", seeds=10),
        "paper": Scale("one core, three hours", seeds=10, patterns=20_000, digits=20_000),
    }

    def runs(self, scale: Scale) -> Part:
        planned = []
        for name, world in WORLDS.items():
            steps: int = getattr(scale, name)
            common = {"learning_rate": f"linear:0.003:0:{steps}", "identity_factors": world.identity_factors}
            kinds = [
                product(each(name=[f"{name}, {kind}"]), method("disbm", **common, **world.settings, **pairs))
                for kind, pairs in PAIRS.items()
            ]
            planned.append(product(dataset(world.data), each(steps=[steps]), chain(*kinds)))
        return product(chain(*planned), each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows = [
            {"data": name, "pairs": kind, "seed": run.config.seed, **of_run(run, world)}
            for name, world in WORLDS.items()
            for kind in PAIRS
            for run in runs[f"{name}, {kind}"]
        ]
        table = lab.table("Every run: what each group of units tells, and the error", rows)
        lab.figure("What each group tells, means over seeds", _told(table))
        for name, world in WORLDS.items():
            exchanged = exchange(runs[f"{name}, {BOTH}"][0], world)
            lab.figure(f"Identity of each column in the pose of each row, {name} (seed 0)", exchanged)
        lab.say(
            "In these figures the images above and at the left are real; each other one is decoded from h of "
            "the image above it and m of the image to its left."
        )
        for name in WORLDS:
            of_kind = {
                kind: part.set_index("seed") for kind, part in table[table["data"] == name].groupby("pairs")
            }
            both = of_kind[BOTH]
            yield self.found(f"{name}_error", both["error"])
            for key in ("identity_h", "identity_m", "pose_m", "pose_h"):
                yield self.found(f"{name}_{key}", both[key.replace("_", " of ")])
            yield self.found(f"{name}_gap", of_kind[NONE]["gap"] / both["gap"].clip(lower=LEAST))
            yield self.found(
                f"{name}_clamped", of_kind[NONE]["gap"] / of_kind[CLAMPED]["gap"].clip(lower=LEAST)
            )


def of_run(run: Run, world: World) -> dict[str, float]:
    """What is read from each group of a run's units, the gap between them, and the error of decoding."""
    codes, labels, names = every_code(run).mean, every_label(run.data), list(run.data.label_names)
    size = units_of_h(run)
    split = {"h": codes[:, :size], "m": codes[:, size:]}
    own, rest = np.split(labels, [world.identity_factors], axis=1)
    found: dict[str, float] = {}
    for what, name, unseen in (("identity", world.identity, rest), ("pose", world.pose, own)):
        label = labels[:, names.index(name)]
        found |= {f"{what} of {group}": read(part, label, unseen) for group, part in split.items()}
    gaps = found["identity of h"] - found["identity of m"], found["pose of m"] - found["pose of h"]
    return found | {"gap": float(np.mean(gaps)), "error": error(run, codes)}


def read(codes: Array, label: Array, unseen: Array) -> float:
    """The accuracy of a linear probe of a label (n,) from codes (n, d), on rows left out in turn.

    Rows that are alike in `unseen` (n, k) are left out together, in up to 8 parts.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict

    groups = np.unique(unseen, axis=0, return_inverse=True)[1].ravel()
    parts = GroupKFold(min(FOLDS, groups.max() + 1))
    probe = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000, tol=1e-3)
    found = cross_val_predict(probe, codes, label, groups=groups, cv=parts)
    return float(np.mean(found == label))


def units_of_h(run: Run) -> int:
    """How many of a code's numbers are of h, the first ones."""
    return cast(disbm.DisBM, run.method).sizes[0]


def error(run: Run, codes: Array) -> float:
    """The squared error of images decoded from their codes, as a share of that of the mean image."""
    images = run.data.unit_images(np.arange(len(run.data)))
    return float(np.mean((run.decode(codes) - images) ** 2) / np.mean((images - images.mean(axis=0)) ** 2))


def exchange(run: Run, world: World) -> Figure:
    """Images decoded from h of those above and m of those to the left, of which each has another identity."""
    space, size = run.data.factors, units_of_h(run)
    assert space is not None
    across, down = space.sizes[0], space.sizes[-1]
    middle = np.zeros(len(space.sizes), dtype=np.int64)
    above, left = np.tile(middle, (across, 1)), np.tile(middle, (down, 1))
    above[:, 0], above[:, -1] = np.arange(across), down // 2
    left[:, -1], left[:, world.identity_factors - 1] = (
        np.arange(down),
        space.sizes[world.identity_factors - 1] - 1,
    )
    real = [run.data.unit_images(space.index(rows)) for rows in (above, left)]
    h, m = (run.encode(run.data.images(space.index(rows))).mean for rows in (above, left))
    codes = np.concatenate([np.tile(h[:, :size], (down, 1)), m[:, size:].repeat(across, axis=0)], axis=1)
    made = run.decode(codes).reshape(down, across, *run.data.image_shape)
    corner = np.zeros((1, *run.data.image_shape))
    lines = [corner, real[0], *(part for row in range(down) for part in (real[1][row : row + 1], made[row]))]
    framed = np.pad(np.concatenate(lines), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=FRAME)
    return image_grid(framed, across + 1)


def _told(table: pd.DataFrame) -> Figure:
    columns = ["identity of h", "identity of m", "pose of m", "pose of h"]
    means = (
        table.assign(runs=table["data"] + ", " + table["pairs"]).groupby("runs", sort=False)[columns].mean()
    )
    return bars(means, "accuracy of the probe", 1.0)
