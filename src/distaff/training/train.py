"""Training: from a method and a data set to a finished run folder, resumed wherever it stopped."""

import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from distaff import registry
from distaff.batches.feed import Feed
from distaff.datasets import DataSet, load_dataset
from distaff.errors import BadInput, Interrupted
from distaff.files import write_json
from distaff.interrupt import heard
from distaff.machine import MOST_THREADS, available_threads
from distaff.methods.base import Method, State
from distaff.networks.threads import network_threads, torch_threads
from distaff.progress import Report, progress, say
from distaff.settings import build, whole_number
from distaff.training.allocator import keep_freed_memory
from distaff.training.bases import check_same_bases, find_bases
from distaff.training.checkpoint import load_checkpoint, save_tensors
from distaff.training.config import Config, differences, make_config, read_config
from distaff.training.device import arithmetic, choose_device, choose_noise
from distaff.training.graph import OneByOne, Steps, Uncapturable, graph_of
from distaff.training.history import Window, diverged, trim_history
from distaff.training.lock import only_one
from distaff.training.run import Run

LOG_EVERY = 100  # steps
CHECKPOINT_SECONDS = 15.0
#: files of a run that are no longer true once it is trained further
DERIVED = (
    "scores.json",
    "scores_sampled.json",
    "desiderata.json",
    "likelihood.json",
    "report.html",
    "encoding.npz",
    "model.safetensors",
)


def train(
    method: str | Method,
    data: DataSet | str | os.PathLike[str],
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
    """Train a method on a data set and return the finished run.

    `settings` are the method's hyper-parameters. The same call again returns at once; after a stop it
    continues from the last checkpoint, to the same bytes; with more `steps` it goes on from the end. Any
    other difference from what the folder `out` (default runs/METHOD-DATASET-sSEED) holds is an error.
    Every step's batch and noise derive from (seed, step). `noise` is drawn on the "host", the same for every
    device, or on the "device", without which a GPU waits for it; "auto" is the device's on a CUDA GPU.

    Raises BadInput (a ValueError) where the input cannot be used, and leaves nothing of a run behind.
    """
    name, method = _method(method, settings)
    steps, seed = whole_number("steps", steps, 0), whole_number("seed", seed, 0)
    threads = None if threads is None else whole_number("threads", threads, 1)
    if threads is not None and threads > MOST_THREADS:
        raise BadInput(f"threads={threads} is not allowed; it must be at most {MOST_THREADS}")
    data = data if isinstance(data, DataSet) else load_dataset(data)
    folder = Path(out) if out is not None else Path("runs") / f"{name}-{data.name}-s{seed}"
    chosen = choose_device(device)
    recorded = _recorded(folder)
    threads = threads or (recorded.threads if recorded else available_threads())
    noise = choose_noise(noise, chosen, recorded.noise if recorded else None)
    noise = "host" if method.fitted else noise
    bases, records = find_bases(method, data)
    feed = Feed(method, data, seed, chosen, bases, noise=noise)
    config = make_config(name, method, data, feed.facts, steps, seed, threads, str(chosen), records, noise)
    _check_same(folder, recorded, config)
    with only_one(folder), _on_threads(method, threads):
        recorded = _recorded(folder)  # again, for another process may have been here
        _check_same(folder, recorded, config)
        _prepare(folder, recorded, config)
        run = Run(folder, config, method, data)
        if (folder / "model.safetensors").exists():
            if show:
                say(f"{folder} is finished: {run.effort}")
            return run
        if show:
            say(_headline(run, data))
        _train(run, feed, chosen, show)
    return run


def _on_threads(method: Method, threads: int) -> AbstractContextManager[None]:
    """So many threads, that share a batch out; torch's own where it is not shared out."""
    whole = method.fitted or getattr(method, "compile", False)
    return torch_threads(threads) if whole else network_threads(threads, method.batch_size)


def _headline(run: Run, data: DataSet) -> str:
    """What is about to be trained, on what, and the beta that carries over between image sizes."""
    size = "x".join(map(str, data.image_shape[1:]))
    words = [f"{run.config.method} on {data.name} ({data.source}): {len(data):,} images of {size}"]
    if run.normalised_beta is not None:
        words.append(f"normalised beta {run.normalised_beta:.4g}")
    return "; ".join(filter(None, [*words, data.note]))


def _method(method: str | Method, settings: dict[str, Any]) -> tuple[str, Method]:
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


def _recorded(folder: Path) -> Config | None:
    path = folder / "config.json"
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file, not a folder")
    if not path.exists():
        if folder.exists() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise BadInput(f"{folder} is not empty and not a run folder; choose another --out")
        return None
    return read_config(path)


def _check_same(folder: Path, recorded: Config | None, config: Config) -> None:
    if recorded is None:
        return
    for was, now, name in differences(recorded, config):
        raise BadInput(
            f"{folder} was made with {name}={was!r}, not {now!r}; choose another --out or the same settings"
        )
    check_same_bases(folder, recorded, config)
    if config.steps < recorded.steps:
        raise BadInput(f"{folder} was asked for {recorded.steps} steps; {config.steps} is fewer")


def _prepare(folder: Path, recorded: Config | None, config: Config) -> None:
    """Write the config. A run that is extended first loses what was derived from the shorter one."""
    for partial in folder.glob(".*.partial"):  # of a process that was killed
        if partial.is_symlink() or partial.is_file():
            partial.unlink()
    if recorded is not None and recorded.steps == config.steps:
        return
    for name in DERIVED:
        if (folder / name).is_dir():
            raise BadInput(f"{folder / name} is a folder, not a file; remove it")
    for name in DERIVED:
        (folder / name).unlink(missing_ok=True)
    write_json(folder / "config.json", config)


def _train(run: Run, feed: Feed, device: torch.device, show: bool) -> None:
    """All steps that are left, from the last checkpoint on; a fitted method has a single one."""
    keep_freed_memory()
    seed, steps = run.config.seed, 1 if run.method.fitted else run.config.steps
    state = run.method.state(feed.facts, torch.Generator().manual_seed(seed))
    state.modules.to(device).train()
    path, start = run.folder / "checkpoint.safetensors", 0
    if path.exists():
        tensors, start = load_checkpoint(path)
        state.load(tensors)
        if start > steps:
            raise BadInput(f"{path} holds {start} steps, more than the {steps} of this run")
        if show:
            say(f"resumed at step {start}")
    trim_history(run.folder / "history.jsonl", start)
    waits = not run.method.fitted  # for the end of a step, with its work saved
    between: AbstractContextManager[list[int]] = heard() if waits else nullcontext([])
    tf32 = getattr(run.method, "precision", "") == "tf32"
    with progress("training", steps, start, show) as report, between as asked_to_stop, arithmetic(tf32):
        left = range(start, steps)
        _loop(run, _steps(run, feed, state, left, show), state, left, report, asked_to_stop)
        _save(run, state, steps)
        save_tensors(run.folder / "model.safetensors", state.modules.state_dict())
    if asked_to_stop:  # in the last step or after it
        raise Interrupted(f"stopped at step {steps} of {steps}: {run.folder} is finished")


def _save(run: Run, state: State, step: int) -> None:
    """Replace the checkpoint, unless a weight is no longer a finite number."""
    tensors = state.tensors()
    for name, value in tensors.items():
        if not value.isfinite().all():
            raise diverged(f"{name.removeprefix('model/')} is no longer finite after step {step}")
    if not run.folder.is_dir():
        raise BadInput(f"{run.folder} was removed while it was trained; nothing is left of it")
    if not (run.folder / "config.json").exists():  # removed meanwhile, and nothing can be read without it
        write_json(run.folder / "config.json", run.config)
    save_tensors(run.folder / "checkpoint.safetensors", tensors | {"step": torch.tensor(step)})


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
    run: Run, taken: Steps, state: State, steps: range, report: Report, asked_to_stop: list[int]
) -> None:
    window = Window(run.folder / "history.jsonl", run.method.batch_size)
    saved = time.monotonic()
    for step in steps:
        try:
            window.add(*taken.step(step))
        except BadInput:  # known only now; the folder is free for other settings
            if not (run.folder / "checkpoint.safetensors").exists():
                for name in ("config.json", "history.jsonl"):
                    (run.folder / name).unlink(missing_ok=True)
            raise
        done = step + 1
        if done % LOG_EVERY == 0 or done == steps.stop:
            window.write(done)
            report(done, window.words)
            if time.monotonic() - saved > CHECKPOINT_SECONDS and done < steps.stop:
                _save(run, state, done)
                saved = time.monotonic()
        if asked_to_stop and done < steps.stop:
            window.check(done)
            _save(run, state, done)
            raise Interrupted(
                f"stopped at step {done} of {steps.stop}; run the same command again to continue"
            )
