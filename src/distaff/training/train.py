"""Training: from a method and a data set to a finished run folder, resumed wherever it stopped."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distaff import registry
from distaff.datasets import DataSet, load_dataset
from distaff.datasets.samplers import SAMPLERS
from distaff.errors import BadInput
from distaff.files import read_json, write_json, write_text
from distaff.methods.base import Method, State, Stepped
from distaff.settings import build
from distaff.training.allocator import keep_freed_memory
from distaff.training.checkpoint import load_checkpoint, save_checkpoint, save_tensors
from distaff.training.lock import only_one
from distaff.training.progress import Report, progress, say
from distaff.training.run import Run, check_config, choose_device, make_config, to_unit, torch_threads

LOG_EVERY = 100  # steps
CHECKPOINT_SECONDS = 15.0
SAME = ("method", "settings", "dataset", "seed", "device", "threads")
DERIVED = ("scores.json", "scores_sampled.json", "report.html", "encoding.npz", "model.safetensors")


class Diverged(RuntimeError):
    """The loss is no longer a finite number."""


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, and stopped with its work saved."""


def train(
    method: str | Method,
    data: DataSet | str | os.PathLike[str],
    *,
    steps: int = 20_000,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    device: str = "auto",
    show: bool = True,
    **settings: Any,
) -> Run:
    """Train a method on a data set and return the finished run.

    `settings` are the method's hyper-parameters. The same call again returns at once; after a stop it
    continues from the last checkpoint, to the same bytes; with more `steps` it goes on from the end. Any
    other difference from what the folder `out` (default runs/METHOD-DATASET-sSEED) holds is an error.
    Every step's batch and noise derive from (seed, step).

    Raises BadInput (a ValueError) before anything is written where the input cannot be used.
    """
    name, method = _method(method, settings)
    data = data if isinstance(data, DataSet) else load_dataset(data)
    _check_numbers(steps, seed, threads)
    folder = Path(out) if out is not None else Path("runs") / f"{name}-{data.name}-s{seed}"
    chosen = choose_device(device)
    recorded = _recorded(folder)
    threads = threads or (recorded or {}).get("threads") or len(os.sched_getaffinity(0))
    config = make_config(name, method, data, steps, seed, threads, str(chosen))
    _check_same(folder, recorded, config)
    with only_one(folder), torch_threads(threads):
        _prepare(folder, recorded, config)
        run = Run(folder, config, method, data)
        if (folder / "model.safetensors").exists():
            if show:
                say(f"{folder} is finished: {steps} steps")
            return run
        if show:
            say(_headline(run, data))
        assert isinstance(method, Stepped)
        _fit(run, method, data, chosen, show)
    return run


def _headline(run: Run, data: DataSet) -> str:
    """What is about to be trained, on what, and the beta that carries over between image sizes."""
    size = "x".join(map(str, data.image_shape[1:]))
    words = [f"{run.config['method']} on {data.name} ({data.source}): {len(data):,} images of {size}"]
    beta = run.config["settings"].get("beta")
    if beta is not None:
        words.append(f"normalised beta {beta * run.method.latents / math.prod(data.image_shape):.4g}")
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


def _check_numbers(steps: int, seed: int, threads: int | None) -> None:
    for name, value, low in (("steps", steps, 0), ("seed", seed, 0), ("threads", threads, 1)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < low):
            raise BadInput(f"{name}={value!r} is not allowed; it must be a whole number of at least {low}")


def _recorded(folder: Path) -> dict[str, Any] | None:
    path = folder / "config.json"
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file, not a folder")
    if not path.exists():
        if folder.exists() and any(entry.name != ".lock" for entry in folder.iterdir()):
            raise BadInput(f"{folder} is not empty and not a run folder; choose another --out")
        return None
    return check_config(read_json(path), path)


def _check_same(folder: Path, recorded: dict[str, Any] | None, config: dict[str, Any]) -> None:
    if recorded is None:
        return
    for was, now, name in _differences(recorded, config):
        raise BadInput(
            f"{folder} was made with {name}={was!r}, not {now!r}; choose another --out or the same settings"
        )
    if config["steps"] < recorded["steps"]:
        raise BadInput(f"{folder} was asked for {recorded['steps']} steps; {config['steps']} is fewer")


def _differences(recorded: dict[str, Any], config: dict[str, Any]) -> Iterator[tuple[Any, Any, str]]:
    config = json.loads(json.dumps(config))  # tuples as lists, as they were recorded
    for key in SAME:
        was, now = recorded[key], config[key]
        if isinstance(was, dict) and isinstance(now, dict):
            for inner in sorted(was.keys() | now.keys()):
                if was.get(inner) != now.get(inner):
                    yield was.get(inner), now.get(inner), f"{key}.{inner}"
        elif was != now:
            yield was, now, key


def _prepare(folder: Path, recorded: dict[str, Any] | None, config: dict[str, Any]) -> None:
    """Write the config. A run that is extended first loses what was derived from the shorter one."""
    if recorded is not None and recorded["steps"] == config["steps"]:
        return
    for name in DERIVED:
        (folder / name).unlink(missing_ok=True)
    write_json(folder / "config.json", config)


def _fit(run: Run, method: Stepped, data: DataSet, device: torch.device, show: bool) -> None:
    keep_freed_memory()
    seed, steps = run.config["seed"], run.config["steps"]
    state = method.state(data.image_shape, torch.Generator().manual_seed(seed))
    state.modules.to(device).train()
    path, start = run.folder / "checkpoint.safetensors", 0
    if path.exists():
        tensors, start = load_checkpoint(path)
        state.load(tensors)
        if show:
            say(f"resumed at step {start}")
    _trim_history(run.folder / "history.jsonl", start)
    with progress("training", steps, start, show) as report, _stop_at_step_ends() as asked_to_stop:
        _loop(run, method, data, state, range(start, steps), report, asked_to_stop)
    save_checkpoint(path, state.tensors(), steps)
    save_tensors(run.folder / "model.safetensors", state.modules.state_dict())


def _loop(
    run: Run,
    method: Stepped,
    data: DataSet,
    state: State,
    steps: range,
    report: Report,
    asked_to_stop: threading.Event,
) -> None:
    seed, pixel_range = run.config["seed"], run.config["dataset"]["pixel_range"]
    device = next(state.modules.parameters()).device
    sample = SAMPLERS[method.batches]
    window = Window(run.folder / "history.jsonl", method.batch_size)
    saved = time.monotonic()
    for step in steps:
        rng = np.random.default_rng([seed, step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        batch = to_unit(sample(data, method.batch_size, rng), pixel_range, device)
        window.add(method.step(state, batch, generator, step))
        done = step + 1
        if done % LOG_EVERY == 0 or done == steps.stop:
            window.write(done)
            report(done, window.words)
            if time.monotonic() - saved > CHECKPOINT_SECONDS and done < steps.stop:
                save_checkpoint(run.folder / "checkpoint.safetensors", state.tensors(), done)
                saved = time.monotonic()
        if asked_to_stop.is_set() and done < steps.stop:
            save_checkpoint(run.folder / "checkpoint.safetensors", state.tensors(), done)
            raise Interrupted(
                f"stopped at step {done} of {steps.stop}; run the same command again to continue"
            )


class Window:
    """The loss terms since the last line of the history, kept on the device until the line is written."""

    def __init__(self, path: Path, batch_size: int) -> None:
        self.path, self.batch_size = path, batch_size
        self.words = ""
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._began = time.monotonic()

    def add(self, terms: dict[str, Tensor]) -> None:
        """Take in the terms of one step."""
        for name, value in terms.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def write(self, step: int) -> None:
        """Append the averages as a line, or raise Diverged where one is not finite."""
        names = list(self._sums)
        means = (torch.stack([self._sums[name] for name in names]) / self._count).tolist()
        terms = dict(zip(names, means, strict=True))
        for name, value in terms.items():
            if not math.isfinite(value):
                raise Diverged(
                    f"{name} became {value} in steps {step - self._count + 1} to {step}. "
                    "The last checkpoint is kept; a smaller learning_rate may help (in another folder)"
                )
        seconds = time.monotonic() - self._began
        line = {"step": step, **terms, "images_per_second": round(self._count * self.batch_size / seconds, 1)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        kl = f"  kl {terms['kl']:.2f}" if "kl" in terms else ""
        self.words = f"loss {terms['loss']:.1f}{kl}  {line['images_per_second']:.0f} images/s"
        self._sums, self._count, self._began = {}, 0, time.monotonic()


def _trim_history(path: Path, step: int) -> None:
    """Forget lines later than the checkpoint, which will be written again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # the half-written last line of a killed process
    write_text(path, "".join(kept))


@contextmanager
def _stop_at_step_ends() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that training stops between steps with its work saved."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, lambda *_: asked.set())
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
