"""The finished runs that a method stands on: found and checked before anything is written."""

import hashlib
import json
from pathlib import Path
from typing import Any

from distaff.batches.batch import Base
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.files import plain
from distaff.methods.base import Method
from distaff.methods.frozen import frozen
from distaff.training.checkpoint import load_tensors
from distaff.training.config import BaseConfig, Config, base_of
from distaff.training.run import Run, load_run


def find_bases(method: Method, data: DataSet) -> tuple[dict[str, Base], dict[str, BaseConfig]]:
    """The runs that a method's settings name, with their weights, and what is recorded of them, by setting.

    Raises BadInput where one is missing, unfinished, of another method, or trained on other data.
    """
    bases, records = {}, {}
    for name, allowed, needed in method.base_settings():
        folder, kinds = getattr(method, name), " or ".join(allowed)
        if folder != "none":
            found = load_run(_finished(name, Path(folder)))
            if found.config.method not in allowed:
                raise BadInput(
                    f"{name}={folder} is a run of {found.config.method}; it must be a run of {kinds}"
                )
            _check_data(name, found, data)
            records[name], bases[name] = _taken(name, found)
        elif needed:
            raise BadInput(f"{name} is missing; give the folder of a finished run of {kinds}")
    return bases, records


def _finished(name: str, folder: Path) -> Path:
    """The folder of a finished run."""
    if not (folder / "config.json").exists():
        raise BadInput(f"{name}={folder} is not a run folder: it has no config.json")
    if not (folder / "model.safetensors").exists():
        raise BadInput(f"{name}={folder} is not finished: it has no model.safetensors; train it to its end")
    return folder


def _taken(name: str, run: Run) -> tuple[BaseConfig, Base]:
    path, config = run.folder / "model.safetensors", run.config
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    record = BaseConfig(
        config.method, config.settings, config.dataset, config.steps, config.seed, digest, config.bases
    )
    base = base_of(record, load_tensors(path))
    try:
        frozen(base)
    except BadInput as error:
        raise BadInput(f"{name}={run.folder} cannot be built: {error}") from None
    return record, base


def _check_data(name: str, base: Run, data: DataSet) -> None:
    """An error where a base was trained on other data, or on images of another size."""
    was, now = base.config.dataset, data.spec or {"name": data.name, "options": None}
    before = _words(was.name, was.options, was.image_shape)
    after = _words(now["name"], now["options"], data.image_shape)
    if before != after:
        raise BadInput(f"{name}={base.folder} was trained on {before}, and this is {after}")
    if was.fingerprint != data.fingerprint():
        raise BadInput(
            f"{name}={base.folder} was trained on other images of {before} ({was.source}) than these "
            f"({data.source})"
        )


def _words(name: str, options: Any, shape: tuple[int, ...]) -> str:
    as_json = json.loads(json.dumps(plain(options or {})))  # tuples are lists
    given = "".join(f" {key}={value}" for key, value in sorted(as_json.items()))
    return f"{name}{given} with images of {'x'.join(map(str, shape))}"


def check_same_bases(folder: Path, recorded: Config, config: Config) -> None:
    """An error where a run stands on another run than it is now given, or on an earlier state of it."""
    for name, was in recorded.bases.items():
        now, path = config.bases[name], config.settings[name]
        same = _lineage(was) == _lineage(now)
        if same and was.sha256 == now.sha256:
            continue
        if same and was.steps < now.steps:
            raise BadInput(
                f"{name}={path} was trained further since {folder} took it, from {was.steps} to {now.steps} "
                "steps; choose another --out"
            )
        raise BadInput(f"{folder} stands on another run than {name}={path}; choose another --out")


def _lineage(record: BaseConfig) -> tuple[Any, ...]:
    """What a run is told by, whichever its steps are; of the runs that it stands on not where they lie."""
    settings = {name: value for name, value in record.settings.items() if name not in record.bases}
    bases = {name: (_lineage(base), base.sha256) for name, base in record.bases.items()}
    return record.method, settings, record.dataset, record.seed, bases
