"""The config of a run: everything needed to repeat it, as config.json."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from distaff import __version__
from distaff.batches.batch import Facts
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.files import read_json
from distaff.machine import MOST_THREADS
from distaff.methods.base import Method

FORMAT = 2
#: what may not change when a run is continued; the number of steps may grow
SAME = ("method", "settings", "dataset", "seed", "device", "threads")
MOST_FACTORS, LARGEST_LABEL = 1000, 10**7  # of a config that is believed


def make_config(
    name: str, method: Method, data: DataSet, facts: Facts, steps: int, seed: int, threads: int, device: str
) -> dict[str, Any]:
    """Everything needed to repeat a run."""
    spec = data.spec or {"name": data.name, "options": None}
    return {
        "format": FORMAT,
        "method": name,
        "settings": dataclasses.asdict(method),
        "dataset": {
            **spec,
            "source": data.source,
            "fingerprint": data.fingerprint(),
            **{
                key: list(value) if isinstance(value, tuple) else value
                for key, value in facts._asdict().items()
            },
            "pixel_range": list(data.pixel_range),
        },
        "steps": steps,
        "seed": seed,
        "threads": threads,
        "device": device,
        "versions": {
            "distaff": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def read_config(path: Path) -> dict[str, Any]:
    """The config in a file, or an error that says what is wrong with it."""
    config = read_json(path)
    kinds = {"method": str, "settings": dict, "dataset": dict, "device": str, "versions": dict}
    fine = isinstance(config, dict) and all(isinstance(config.get(key), kind) for key, kind in kinds.items())
    if fine:
        data = config["dataset"]
        options = data.get("options")
        fine = (
            all(isinstance(data.get(key), str) for key in ("name", "source", "fingerprint"))
            and (options is None or (isinstance(options, dict) and "data_dir" not in options))
            and _numbers(data.get("image_shape"), int, 1, 4096, 3)
            and _numbers([data.get("images")], int, 1, 2**53)
            and _numbers(data.get("factors"), int, 1, 2**53)
            and _numbers(data.get("labels"), int, 1, LARGEST_LABEL)
            and _numbers(data.get("pixel_range"), int | float, -1e30, 1e30, 2)
            and data["pixel_range"][0] < data["pixel_range"][1]
            and _numbers([config.get("steps"), config.get("seed")], int, 0, 2**63 - 1)
            and _numbers([config.get("threads")], int, 1, MOST_THREADS)
        )
    if not fine:
        raise BadInput(f"{path} is not the config of a run")
    if config.get("format") != FORMAT:
        raise BadInput(f"{path} has format {config.get('format')!r}; this version reads format {FORMAT}")
    return config


def _numbers(value: Any, kind: Any, low: float, high: float, count: int | None = None) -> bool:
    return (
        isinstance(value, list)
        and count in (None, len(value))
        and len(value) <= MOST_FACTORS
        and all(isinstance(v, kind) and not isinstance(v, bool) and low <= v <= high for v in value)
    )


def differences(recorded: dict[str, Any], config: dict[str, Any]) -> Iterator[tuple[Any, Any, str]]:
    """What a run was made with and is now asked for, and the name of it, wherever the two differ."""
    config = json.loads(json.dumps(config))  # tuples as lists, as they were recorded
    for key in SAME:
        was, now = recorded[key], config[key]
        if isinstance(was, dict) and isinstance(now, dict):
            for inner in sorted(was.keys() | now.keys()):
                if was.get(inner) != now.get(inner):
                    yield was.get(inner), now.get(inner), f"{key}.{inner}"
        elif was != now:
            yield was, now, key
