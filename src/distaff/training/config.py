"""The config of a run: everything needed to repeat it, as config.json."""

import dataclasses
import json
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from msgspec import Meta, Struct
from torch import Tensor

from distaff import __version__, registry
from distaff.batches.batch import Base, Facts
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.files import as_record, plain, read_json
from distaff.machine import MOST_THREADS
from distaff.methods.base import Method
from distaff.settings import build

FORMAT = 2
#: what may not change when a run is continued; the number of steps may grow
SAME = ("method", "settings", "dataset", "seed", "device", "threads", "noise")
# what is believed of a file
Side = Annotated[int, Meta(ge=1, le=4096)]
Count = Annotated[int, Meta(ge=1, le=2**53)]
Step = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Pixel = Annotated[float, Meta(ge=-1e30, le=1e30)]
FEW = Meta(max_length=1000)


class DataConfig(Struct, frozen=True):
    """The data set of a run: how to load it (`options` None: it was made by hand), and what it was like."""

    name: str
    options: dict[str, Any] | None
    source: str
    fingerprint: str
    image_shape: tuple[Side, Side, Side]
    images: Count
    factors: Annotated[tuple[Count, ...], FEW]
    labels: Annotated[tuple[Annotated[int, Meta(ge=1, le=10**7)], ...], FEW]
    pixel_range: tuple[Pixel, Pixel]
    words: Annotated[tuple[Count, ...], FEW] = ()

    def __post_init__(self) -> None:
        if self.options and "data_dir" in self.options:
            raise ValueError("options of a data set never hold a data_dir")
        if self.pixel_range[0] >= self.pixel_range[1]:
            raise ValueError("a pixel range goes from low to high")


class Company(Struct, frozen=True, array_like=True):
    """The steps of a run, from `first` to before `stop`, that were trained as one with so many `runs`."""

    first: Step
    stop: Step
    runs: Annotated[int, Meta(ge=2, le=10**6)]


class BaseConfig(Struct, frozen=True, omit_defaults=True):
    """A finished run that another stands on: enough to rebuild its modules, which the other holds filled."""

    method: str
    settings: dict[str, Any]
    dataset: DataConfig
    steps: Step
    seed: Step
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]  # of its model.safetensors
    bases: dict[str, "BaseConfig"] = {}


class Config(Struct, frozen=True, omit_defaults=True):
    """A run: its method with all settings, its data set, and where and with what it was trained.

    `noise`: drawn on the "host", the same for every device, or on the "device", which makes another run.
    `together`: which steps were trained as one with other runs, which rounds otherwise than alone.

    A setting that a file lacks has its default. Keys that this version does not know are ignored, but for
    settings, which are an error.
    """

    format: int
    method: str
    settings: dict[str, Any]
    dataset: DataConfig
    steps: Step
    seed: Step
    threads: Annotated[int, Meta(ge=1, le=MOST_THREADS)]
    device: str
    versions: dict[str, str]
    bases: dict[str, BaseConfig] = {}  # by the setting that names the run
    noise: Literal["host", "device"] = "host"
    together: Annotated[tuple[Company, ...], FEW] = ()


def make_config(
    name: str,
    method: Method,
    data: DataSet,
    facts: Facts,
    steps: int,
    seed: int,
    threads: int,
    device: str,
    bases: Mapping[str, BaseConfig],
    noise: Literal["host", "device"] = "host",
) -> Config:
    """Everything needed to repeat a run."""
    spec = data.spec or {"name": data.name, "options": None}
    like = facts._asdict() | {"pixel_range": data.pixel_range}
    del like["bases"]
    known = DataConfig(**spec, source=data.source, fingerprint=data.fingerprint(), **like)
    versions = {
        "distaff": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    settings = dataclasses.asdict(method)
    return Config(FORMAT, name, settings, known, steps, seed, threads, device, versions, dict(bases), noise)


def facts_of(recorded: Config | BaseConfig) -> Facts:
    """What the method of a run knew of its data, its bases without weights."""
    data = recorded.dataset
    bases = {name: base_of(base) for name, base in recorded.bases.items()}
    return Facts(data.image_shape, data.images, data.factors, data.labels, data.words, bases)


def base_of(recorded: BaseConfig, weights: Mapping[str, Tensor] | None = None) -> Base:
    """The finished run that a record is of, as methods take it."""
    method = build(registry.get("methods", recorded.method), recorded.settings, recorded.method)
    return Base(method, facts_of(recorded), weights)


def read_config(path: Path) -> Config:
    """The config in a file, or an error that says what is wrong with it."""
    found = read_json(path)
    if isinstance(found, dict) and found.get("format", FORMAT) != FORMAT:
        raise BadInput(f"{path} has format {found['format']!r}; this version reads format {FORMAT}")
    return as_record(found, Config, path)


def _telling(key: str) -> tuple[int, str]:
    """What says most of a difference is first: options and factors, then what data hold, then their place."""
    last = ("fingerprint", "name", "source")
    return (last.index(key) + 1 if key in last else 0), key


def differences(recorded: Config, config: Config) -> Iterator[tuple[Any, Any, str]]:
    """What a run was made with and is now asked for, and the name of it, wherever the two differ.

    Not where the runs lie that both stand on, nor where a file of the data does, for those are told by what
    they hold.
    """
    # as JSON has them: tuples are lists
    before, after = (json.loads(json.dumps(plain(each))) for each in (recorded, config))
    fields = dataclasses.fields(registry.get("methods", config.method))
    before["settings"] = {field.name: field.default for field in fields} | before["settings"]
    for name in recorded.bases.keys() & config.bases.keys():
        after["settings"][name] = before["settings"][name]
    if recorded.dataset.fingerprint == config.dataset.fingerprint:
        after["dataset"] |= {key: before["dataset"][key] for key in ("name", "source")}
    for key in SAME:
        was, now = before.get(key, getattr(recorded, key)), after.get(key, getattr(config, key))
        if isinstance(was, dict) and isinstance(now, dict):
            for inner in sorted(was.keys() | now.keys(), key=_telling):
                if was.get(inner) != now.get(inner):
                    yield was.get(inner), now.get(inner), f"{key}.{inner}"
        elif was != now:
            yield was, now, key
