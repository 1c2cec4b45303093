"""What a plan will cost, from steps on drawn noise and scores of drawn codes: no data is opened."""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from distaff import registry
from distaff.batches.batch import Base
from distaff.batches.feed import Feed
from distaff.datasets import ArrayImages, load_dataset
from distaff.networks.threads import torch_threads
from distaff.progress import progress
from distaff.studies.as_one import at_most, groups
from distaff.studies.plan import Plan, PlannedRun
from distaff.training.allocator import keep_freed_memory
from distaff.training.many import Many, alone_for
from distaff.training.together import WAY

WARM, TIMED = 2, 8  # steps
FORWARD = 1 / 3  # of a step: encoding goes one way, through one of two networks, without gradients
HISTORY = 200  # bytes a line
VALUES = (4, 4)  # of the two factors that scoring is timed on


def noise(shape: tuple[int, int, int], names: Sequence[str]) -> ArrayImages:
    """256 images (C, H, W) of random pixels or more, with factors of these names."""
    sizes = [2] * (len(names) - 1) + [max(2, 512 >> len(names))]
    rows = np.indices(sizes).reshape(len(names), -1).T
    pixels = np.random.default_rng(0).integers(256, size=(len(rows), *shape), dtype=np.uint8)
    return ArrayImages(pixels, rows, names=names)


def shape_of(run: PlannedRun) -> tuple[int, int, int]:
    """The shape (C, H, W) of a run's images, by the data set's declaration."""
    if run.dataset not in registry.names("datasets"):
        return _of_own(run.dataset, json.dumps(run.options))[0]
    kind = registry.get("datasets", run.dataset)
    if shape := getattr(kind, "image_shape", None):  # of one size only
        return tuple(shape)
    fields = {field.name: field.default for field in dataclasses.fields(kind)}
    side = int(run.options.get("resolution", fields.get("resolution", 64)))
    return (kind.channels, side, side)


@functools.cache
def _of_own(path: str, options: str) -> tuple[tuple[int, int, int], dict[str, int]]:
    """The shape (C, H, W) of the images in a file or a folder, and the sizes of a grid of factors."""
    data = load_dataset(path, **json.loads(options))
    space = data.factors
    return data.image_shape, dict(zip(space.names, space.sizes, strict=True)) if space else {}


def factors_of(run: PlannedRun) -> dict[str, int]:
    """The factors that vary in a run's data and their numbers of values, by its declaration and options.

    Two of two values, a and b, where nothing is declared.
    """
    if run.dataset not in registry.names("datasets"):
        return _of_own(run.dataset, json.dumps(run.options))[1] or {"a": 2, "b": 2}
    space = registry.get("datasets", run.dataset).factors
    sizes: dict[str, int] = dict(zip(space.names, space.sizes, strict=True)) if space else {}
    for name in sizes:
        kept = run.options.get(name, sizes[name])
        sizes[name] = kept if isinstance(kept, int) else len(kept)
    return {name: size for name, size in sizes.items() if size > 1} or {"a": 2, "b": 2}


def estimate(plan: Plan, workers: int, together: int | None = None) -> dict[str, Any]:
    """Runs, core-hours of training (and encoding) and of scoring, hours on so many cores, bytes on disk.

    `together` there is what changes where up to so many runs are trained as one: all hours are of a CPU.
    """
    kinds: dict[tuple[str, tuple[int, int, int]], PlannedRun] = {}
    for run in plan.runs:
        kinds.setdefault((_kind(run), shape_of(run)), run)
    step: dict[tuple[str, tuple[int, int, int]], tuple[float, int]] = {}
    with progress("steps measured", len(kinds)) as report:
        for kind, run in kinds.items():
            step[kind] = _measured(run, kind[1])
            report(len(step), kind[0])
    seconds, size, rows = 0.0, 0, plan.rows if plan.metrics else 0
    training: dict[str, float] = {}
    for run in plan.runs:
        one, weights = step[_kind(run), shape_of(run)]
        method = run.made
        shorter = plan.shorter(run)  # which it goes on from
        steps = run.steps - (shorter[0].steps if shorter else 0)
        training[run.id] = one * steps
        batch = 64 if method.fitted else method.batch_size
        seconds += one * (steps + FORWARD * rows / batch)
        size += weights + 12 * rows * method.latents + HISTORY * run.steps // 100
    scoring = _seconds_a_value(plan) * sum(sum(factors_of(run).values()) for run in plan.runs)
    return {
        "study": plan.name,
        "scale": plan.scale,
        "runs": len(plan.runs),
        "core_hours": round((seconds + scoring) / 3600, 2),
        "training_core_hours": round(seconds / 3600, 2),
        "scoring_core_hours": round(scoring / 3600, 2),
        "hours": round((seconds + scoring) / 3600 / workers, 2),
        "workers": workers,
        "bytes": size,
        "step_seconds": {
            f"{method} at {'x'.join(map(str, shape))}": round(one, 5)
            for (method, shape), (one, _) in step.items()
        },
        "together": _as_one(plan, at_most(together), training),
        "runs_by_method": dict(Counter(run.method for run in plan.runs)),
    }


def _as_one(plan: Plan, most: int, training: dict[str, float]) -> dict[str, Any]:
    """What training up to so many runs as one changes, from the core-seconds of `training` each alone."""
    parts = groups(plan.runs, most) if most > 1 else []
    seconds, step = dict(training), dict[str, float]()
    for part in parts:
        if alone_for(part[0].made):  # which go side by side on a GPU alone
            continue
        kind = f"{len(part)} {part[0].method} at {'x'.join(map(str, shape_of(part[0])))}"
        step[kind] = step.get(kind) or _measured_as_one(part)
        seconds |= {run.id: step[kind] * run.steps for run in part}
    return {
        "most": most,
        "runs": sum(map(len, parts)),
        "groups": len(parts),
        "training_core_hours": round(sum(seconds.values()) / 3600, 2),
        "step_seconds": {kind: round(one, 5) for kind, one in step.items()},
        "alone": {run.method: reason for run in plan.runs if (reason := alone_for(run.made))},
    }


def _measured_as_one(runs: Sequence[PlannedRun]) -> float:
    """Core-seconds of a step of each of some runs that are trained as one, on one thread."""
    keep_freed_memory()
    with torch_threads(1):
        feeds = [_feed(run, shape_of(run)) for run in runs]
        states = [f.learner.state(f.facts, torch.Generator().manual_seed(n)) for n, f in enumerate(feeds)]
        for state in states:
            state.modules.train()
        many = Many(feeds, states, WAY["cpu"])
        times = []
        for number in range(WARM + TIMED):
            began = time.process_time()
            many.step(number)
            times.append(time.process_time() - began)
    return float(np.median(times[WARM:])) / len(runs)


def _kind(run: PlannedRun) -> str:
    """The method of a run, and those that it stands on."""
    return " on ".join([run.method, *(_kind(base) for base in run.bases.values())])


def _seconds_a_value(plan: Plan) -> float:
    """Core-seconds of scoring a run, over the number of all values of its factors.

    Timed once, on ten noisy codes of two factors: what takes long are fits, of which boosting has one for
    every value of every factor.
    """
    factors = np.random.default_rng(0).integers(VALUES, size=(plan.rows, len(VALUES)))
    codes = 0.3 * np.random.default_rng(1).standard_normal((plan.rows, 10))
    codes[:, : len(VALUES)] += factors
    seconds = 0.0
    with progress("scores timed", len(plan.metrics)) as report:
        for n, name in enumerate(plan.metrics, 1):
            metric = registry.get("metrics", name)
            given = (codes, factors) if "factors" in metric.declaration.needs else (codes,)
            began = time.process_time()  # of all threads
            metric(*given, **plan.metric_options.get(name, {}))
            times = sum(name in plan.metrics_of(each) for each in plan.representations)
            seconds += (time.process_time() - began) * times
            report(n, name)
    return seconds / sum(VALUES)


def _measured(run: PlannedRun, shape: tuple[int, int, int]) -> tuple[float, int]:
    """Core-seconds of a step on one thread, also where others share the core, and bytes of weights."""
    method = run.made
    if method.fitted:
        return 0.0, 0
    keep_freed_memory()
    with torch_threads(1):
        feed = _feed(run, shape)
        state = method.state(feed.facts, torch.Generator().manual_seed(0))
        state.modules.train()
        times = []
        for number in range(WARM + TIMED):
            began = time.process_time()
            batch, rng = feed.at(number)
            feed.method(number).step(state, batch, rng)
            times.append(time.process_time() - began)
    # in the model and the checkpoint, which has two numbers of Adam for each that is trained
    weights = sum((16 if p.requires_grad else 8) * p.numel() for p in state.modules.parameters())
    return float(np.median(times[WARM:])), weights


def _feed(run: PlannedRun, shape: tuple[int, int, int]) -> Feed:
    """What a run would learn from, were its data noise, standing on runs of fresh weights."""
    bases = {name: Base(base.made, _feed(base, shape).facts) for name, base in run.bases.items()}
    return Feed(run.made, noise(shape, list(factors_of(run))), 0, bases=bases)
