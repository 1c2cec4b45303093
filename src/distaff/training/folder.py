"""A run's folder: opened for one set of settings, filled while it is trained, and finished."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from msgspec import structs
from torch import Tensor

from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.files import write_json
from distaff.methods.base import Method
from distaff.methods.state import State
from distaff.training.bases import check_same_bases
from distaff.training.checkpoint import UNWRITTEN, load_checkpoint, save_tensors
from distaff.training.config import Company, Config, differences, read_config
from distaff.training.history import diverged, trim_history
from distaff.training.lock import only_one
from distaff.training.run import Run

#: files of a run that are no longer true once it is trained further
DERIVED = (
    "scores.json",
    "scores_sampled.json",
    "desiderata.json",
    "likelihood.json",
    "acting.json",
    "reasoning.json",
    "reasoning.safetensors",
    "report.html",
    "explorer.html",
    "traversals.gif",
    "encoding.npz",
    "model.safetensors",
)


@contextmanager
def opened(folder: Path, config: Config, method: Method, data: DataSet) -> Iterator[Run]:
    """The run in a folder of its own, held for the block. BadInput where it is another's, or not this run."""
    check_same(folder, recorded_in(folder), config)
    with only_one(folder):
        recorded = recorded_in(folder)  # again, for another process may have been here
        check_same(folder, recorded, config)
        if recorded is not None:
            config = structs.replace(config, together=recorded.together)
        prepare(folder, recorded, config)
        yield Run(folder, config, method, data)


def is_finished(run: Run) -> bool:
    """Whether it has its weights."""
    return (run.folder / "model.safetensors").exists()


def recorded_in(folder: Path) -> Config | None:
    """The config of the run in a folder, None in an empty one. BadInput where there are other things."""
    path = folder / "config.json"
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file, not a folder")
    if not path.exists():
        if folder.exists() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise BadInput(f"{folder} is not empty and not a run folder; choose another --out")
        return None
    return read_config(path)


#: where a run is trained, which does not matter to one that is finished
WHERE = ("device", "threads", "noise")


def check_same(folder: Path, recorded: Config | None, config: Config) -> None:
    """Raise BadInput where a folder's run is not the one that is asked for, or cannot have its steps."""
    if recorded is None:
        return
    finished = (folder / "model.safetensors").exists() and recorded.steps == config.steps
    for was, now, name in differences(recorded, config):
        if finished and name in WHERE:
            continue
        if name == "dataset.fingerprint":
            raise BadInput(
                f"{folder} was made with other images or labels than {config.dataset.name} has; choose "
                "another --out or the same data"
            )
        raise BadInput(
            f"{folder} was made with {name}={was!r}, not {now!r}; choose another --out or the same settings"
        )
    check_same_bases(folder, recorded, config)
    if config.steps != recorded.steps:
        check_steps(folder, recorded.steps, config.steps)


def check_steps(folder: Path, asked: int, steps: int) -> None:
    """Raise BadInput where a run that was asked for other steps has taken more, or cannot go on.

    What is finished is not given up for a checkpoint that cannot be read. One that has not come as far as it
    was asked for, such as one that diverged on its way, may be asked for as many steps as it has.
    """
    path = folder / "checkpoint.safetensors"
    finished = (folder / "model.safetensors").exists()
    if finished and steps > asked and not path.exists():
        raise BadInput(f"{folder} has lost {path.name}, without which it cannot go on; choose another --out")
    taken = load_checkpoint(path)[1] if path.exists() else 0
    if finished and steps < asked:
        raise BadInput(f"{folder} was asked for {asked} steps; {steps} is fewer")
    if steps < taken:
        raise BadInput(f"{folder} has taken {taken} steps already; {steps} is fewer")


def prepare(folder: Path, recorded: Config | None, config: Config) -> None:
    """Write the config. A run that is extended first loses what was derived from the shorter one."""
    for partial in folder.glob(".*.partial"):  # of a process that was killed
        if partial.is_symlink() or partial.is_file():
            partial.unlink()
    if recorded is not None and recorded.steps == config.steps:
        if recorded.dataset != config.dataset:  # the same data in another place
            write_json(folder / "config.json", structs.replace(recorded, dataset=config.dataset))
        return
    for name in DERIVED:
        if (folder / name).is_dir():
            raise BadInput(f"{folder / name} is a folder, not a file; remove it")
    for name in DERIVED:
        (folder / name).unlink(missing_ok=True)
    write_json(folder / "config.json", config)


def save_checkpoint(run: Run, state: State, step: int, unwritten: Tensor | None = None) -> None:
    """Replace the checkpoint, unless a weight is no longer a finite number.

    `unwritten` (steps, terms) are those of the last steps, which no line of the history has yet.
    """
    tensors = state.tensors()
    for name, value in tensors.items():
        if not value.isfinite().all():
            raise diverged(f"{name.removeprefix('model/')} is no longer finite after step {step}")
    if not run.folder.is_dir():
        raise BadInput(f"{run.folder} was removed while it was trained; nothing is left of it")
    if not (run.folder / "config.json").exists():  # removed meanwhile, and nothing can be read without it
        write_json(run.folder / "config.json", run.config)
    tensors["step"] = torch.tensor(step)
    if unwritten is not None and len(unwritten):
        tensors[UNWRITTEN] = unwritten
    save_tensors(run.folder / "checkpoint.safetensors", tensors)


def resumed(run: Run, state: State, steps: int) -> int:
    """Bring a fresh state to where the run's checkpoint is; the number of its steps, of `steps` at most."""
    path, start = run.folder / "checkpoint.safetensors", 0
    if path.exists():
        tensors, start = load_checkpoint(path)
        state.load(tensors)
        if start > steps:
            raise BadInput(f"{path} holds {start} steps, more than the {steps} of this run")
    trim_history(run.folder / "history.jsonl", start)
    return start


def finish(run: Run, state: State, steps: int) -> None:
    """Write the last checkpoint and the finished weights."""
    save_checkpoint(run, state, steps)
    save_tensors(run.folder / "model.safetensors", state.modules.state_dict())


def forget(run: Run) -> None:
    """Free the folder of a run that cannot be trained, which is known only now; not where it has begun."""
    if not (run.folder / "checkpoint.safetensors").exists():
        for name in ("config.json", "history.jsonl"):
            (run.folder / name).unlink(missing_ok=True)


def in_company(run: Run, start: int, runs: int) -> Run:
    """The run, with its config saying that its steps from `start` on are taken with those of `runs` runs."""
    before = [Company(each.first, min(each.stop, start), each.runs) for each in run.config.together]
    kept = [each for each in before if each.first < each.stop]
    if runs > 1 and start < run.config.steps:
        if kept and (kept[-1].stop, kept[-1].runs) == (start, runs):
            start = kept.pop().first
        kept.append(Company(start, run.config.steps, runs))
    config = structs.replace(run.config, together=tuple(kept))
    if config != run.config:
        write_json(run.folder / "config.json", config)
    return replace(run, config=config)
