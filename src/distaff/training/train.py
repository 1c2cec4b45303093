"""Training: from a method and a data set to a finished run folder, resumed wherever it stopped."""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from numpy.typing import ArrayLike

from distaff import registry
from distaff.batches.feed import Feed
from distaff.datasets import ArrayImages, DataSet, load_dataset
from distaff.errors import BadInput, Interrupted
from distaff.interrupt import heard
from distaff.machine import MOST_THREADS, available_threads
from distaff.methods.base import Method
from distaff.methods.state import State
from distaff.networks.threads import network_threads, torch_threads
from distaff.progress import Report, progress, say
from distaff.settings import build, whole_number
from distaff.training.allocator import keep_freed_memory
from distaff.training.bases import find_bases
from distaff.training.checkpoint import load_unwritten
from distaff.training.config import make_config
from distaff.training.device import arithmetic, choose_device, choose_noise, usual_torch
from distaff.training.folder import (
    finish,
    forget,
    in_company,
    is_finished,
    opened,
    recorded_in,
    resumed,
    save_checkpoint,
)
from distaff.training.graph import OneByOne, Steps, Uncapturable, graph_of
from distaff.training.history import Window
from distaff.training.run import Run

LOG_EVERY = 100  # steps
CHECKPOINT_SECONDS = 15.0


def train(
    method: str | Method,
    data: DataSet | str | os.PathLike[str] | ArrayLike,
    *,
    steps: int = 20_000,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    device: str = "auto",
    noise: str = "auto",
    show: bool = True,
    **settings: Any,
) -> Run:
    """Train a method on a data set, or the name, path or array of one, and return the finished run.

    `settings` are the method's hyper-parameters. The same call again returns at once; after a stop it
    continues from the last checkpoint, to the same bytes; with more `steps` it goes on from the end. Any
    other difference from what the folder `out` (default runs/METHOD-DATASET-sSEED) holds is an error.
    Every step's batch and noise derive from (seed, step). `noise` is drawn on the "host", the same for every
    device, or on the "device", without which a GPU waits for it; "auto" is the device's on a CUDA GPU.

    Raises BadInput (a ValueError) where the input cannot be used, and leaves nothing of a run behind.
    """
    name, method = named(method, settings)
    steps, seed = whole_number("steps", steps, 0), whole_number("seed", seed, 0)
    threads = None if threads is None else whole_number("threads", threads, 1)
    if threads is not None and threads > MOST_THREADS:
        raise BadInput(f"threads={threads} is not allowed; it must be at most {MOST_THREADS}")
    if not isinstance(data, DataSet):
        data = load_dataset(data) if isinstance(data, str | os.PathLike) else ArrayImages(data)
    folder = Path(out) if out is not None else Path("runs") / f"{name}-{data.name}-s{seed}"
    asked = Asked(method, steps, seed, folder)
    there = choose_device(device)
    with usual_torch(), asked_for(name, asked, data, data, threads, there, noise) as (run, feed):
        if is_finished(run):
            if show:
                say(f"{folder} is finished: {run.effort}")
            return run
        if show:
            say(headline(run, data))
        with on_threads(method, run.config.threads):
            return train_alone(run, feed, show)


class Asked(NamedTuple):
    """A run that is asked for: its method, steps and seed, and its folder."""

    method: Method
    steps: int
    seed: int
    out: Path


@contextmanager
def asked_for(
    name: str, asked: Asked, data: DataSet, there: Any, threads: int | None, device: torch.device, noise: str
) -> Iterator[tuple[Run, Feed]]:
    """The run in its folder, held for the block, and its feed; `there`: the data, perhaps on the device.

    What is not given is as recorded in the folder. BadInput, before anything is written, where it cannot be.
    """
    method, steps, seed, folder = asked
    recorded = recorded_in(folder)
    steps = recorded.steps if recorded and method.fitted else steps  # to which they mean nothing
    threads = threads or (recorded.threads if recorded else available_threads())
    drawn = choose_noise(noise, device, recorded.noise if recorded else None)
    drawn = "host" if method.fitted else drawn
    bases, records = find_bases(method, data)
    feed = Feed(method, there, seed, device, bases, noise=drawn)
    config = make_config(name, method, data, feed.facts, steps, seed, threads, str(device), records, drawn)
    with opened(folder, config, method, data) as run:
        yield run, feed


def on_threads(method: Method, threads: int) -> AbstractContextManager[None]:
    """So many threads, that share a batch out; torch's own where it is not shared out."""
    whole = method.fitted or getattr(method, "compile", False)
    return torch_threads(threads) if whole else network_threads(threads, method.batch_size)


def headline(run: Run, data: DataSet) -> str:
    """What is about to be trained, on what, and the beta that carries over between image sizes."""
    size = "x".join(map(str, data.image_shape[1:]))
    words = [f"{run.config.method} on {data.name} ({data.source}): {len(data):,} images of {size}"]
    if run.normalised_beta is not None:
        words.append(f"normalised beta {run.normalised_beta:.4g}")
    return "; ".join(filter(None, [*words, data.note]))


def named(method: str | Method, settings: dict[str, Any]) -> tuple[str, Method]:
    """A method and the name that it is registered by, made from its settings where a name is given."""
    if isinstance(method, str):
        return method, build(registry.get("methods", method), settings, method)
    if settings:
        raise BadInput("give settings either in the method or by keyword, not both")
    target = f"{type(method).__module__}:{type(method).__qualname__}"
    known = [name for name in registry.names("methods") if registry.TABLES["methods"][name] == target]
    if not known:
        raise BadInput(
            f"{target} is not registered; call distaff.register('methods', NAME, '{target}') first"
        )
    return known[0], method


def train_alone(run: Run, feed: Feed, show: bool, window: Window | None = None) -> Run:
    """All steps that are left, from the last checkpoint on; a fitted method has a single one.

    `window` holds the terms of steps before it that no line of the history has yet.
    """
    keep_freed_memory()
    steps = 1 if run.method.fitted else run.config.steps
    state, start = begun(run, feed, steps)
    if show and start:
        say(f"resumed at step {start}")
    run = in_company(run, start, 1)
    waits = not run.method.fitted  # for the end of a step, with its work saved
    between: AbstractContextManager[list[int]] = heard() if waits else nullcontext([])
    tf32 = getattr(run.method, "precision", "") == "tf32"
    with progress("training", steps, start, show) as report, between as asked_to_stop, arithmetic(tf32):
        left = range(start, steps)
        window = window or window_of(run)
        _loop(run, window, _steps(run, feed, state, left, show), state, left, report, asked_to_stop)
        finish(run, state, steps)
    if asked_to_stop:  # in the last step or after it
        raise Interrupted(f"stopped at step {steps} of {steps}: {run.folder} is finished")
    return run


def window_of(run: Run) -> Window:
    """What the lines of a run's history are made by."""
    before = load_unwritten(run.folder / "checkpoint.safetensors")
    return Window(run.folder / "history.jsonl", run.method.batch_size, before)


def begun(run: Run, feed: Feed, steps: int) -> tuple[State, int]:
    """The state of a run from where its checkpoint is on, and how many of its `steps` it has taken."""
    state = run.method.state(feed.facts, torch.Generator().manual_seed(run.config.seed))
    state.to(feed.device)
    return state, resumed(run, state, steps)


def _steps(run: Run, feed: Feed, state: State, steps: range, show: bool) -> Steps:
    """What takes the steps: a graph where the device draws the noise, if the method allows it."""
    if run.config.noise == "device" and steps:
        try:
            return graph_of(feed, state, steps)
        except Uncapturable as reason:
            if show:
                say(f"{run.config.method} takes its steps one by one here, which a GPU waits for: {reason}")
    return OneByOne(feed, state)


def _loop(
    run: Run,
    window: Window,
    taken: Steps,
    state: State,
    steps: range,
    report: Report,
    asked_to_stop: list[int],
) -> None:
    saved = time.monotonic()
    for step in steps:
        try:
            window.add(*taken.step(step))
        except BadInput:  # known only now; the folder is free for other settings
            forget(run)
            raise
        done = step + 1
        if done % LOG_EVERY == 0 or done == steps.stop:
            window.write(done)
            report(done, window.words)
            if time.monotonic() - saved > CHECKPOINT_SECONDS and done < steps.stop:
                save_checkpoint(run, state, done)
                saved = time.monotonic()
        if asked_to_stop and done < steps.stop:
            save_checkpoint(run, state, done, window.check(done))
            raise Interrupted(
                f"stopped at step {done} of {steps.stop}; run the same command again to continue"
            )
