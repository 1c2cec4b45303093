"""A run: one trained method in a folder, ready to encode and decode."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

import distaff
from distaff import registry
from distaff.datasets import DataSet, data_folder, load_dataset
from distaff.errors import BadInput
from distaff.files import read_json
from distaff.methods.base import Codes, Method
from distaff.settings import build
from distaff.training.checkpoint import load_tensors

ENCODE_BATCH = 512
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder with its config, method and data set.

    `encode(images)` and `decode(codes)` take and give NumPy arrays; images as the data set gives them.
    """

    folder: Path
    config: dict[str, Any]
    method: Method
    given_data: DataSet | None = dataclasses.field(default=None, repr=False)
    data_dir: Path | None = dataclasses.field(default=None, repr=False)

    @functools.cached_property
    def data(self) -> DataSet:
        """The data set the run was trained on, or an error if it is no longer the same."""
        recorded = self.config["dataset"]
        data = self.given_data
        if data is None:
            if recorded["options"] is None:
                raise BadInput(f"{self.folder} was trained on a data set made by hand; pass it as data=")
            data = load_dataset(recorded["name"], data_dir=self.data_dir, **recorded["options"])
        if data.fingerprint() != recorded["fingerprint"]:
            raise BadInput(f"the data set {recorded['name']} is not the one {self.folder} was trained on")
        return data

    @property
    def device(self) -> torch.device:
        """Where it encodes: the device it was trained on, or the CPU where that is absent."""
        return choose_device(self.config["device"] if _present(self.config["device"]) else "cpu")

    @functools.cached_property
    def modules(self) -> nn.ModuleDict:
        """The trained networks, in evaluation mode."""
        path = self.folder / "model.safetensors"
        if not path.exists():
            raise BadInput(f"{self.folder} holds no finished model; train it first")
        state = self.method.state(tuple(self.config["dataset"]["image_shape"]), torch.Generator())
        state.load({f"model/{name}": value for name, value in load_tensors(path).items()})
        return state.modules.to(self.device).eval()

    @torch.inference_mode()
    def encode(self, images: ArrayLike, seed: int = 0) -> Codes:
        """Codes of images (n, C, H, W): mean and log-variance (n, d) in float32, and a seeded sample."""
        pixels = np.asarray(images)
        if pixels.ndim != 4 or list(pixels.shape[1:]) != self.config["dataset"]["image_shape"]:
            raise BadInput(
                f"images must be (n, *{self.config['dataset']['image_shape']}), got {pixels.shape}"
            )
        generator = torch.Generator().manual_seed(seed)
        parts = []
        for start in range(0, len(pixels), ENCODE_BATCH):
            batch = to_unit(
                pixels[start : start + ENCODE_BATCH], self.config["dataset"]["pixel_range"], self.device
            )
            parts.append(self.method.encode(self.modules, batch, generator))
        columns = zip(*parts, strict=True)
        return Codes(*(None if c[0] is None else torch.cat(c).float().cpu().numpy() for c in columns))

    @torch.inference_mode()
    def decode(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Images (n, C, H, W) in 0..1 of codes (n, d)."""
        tensor = torch.as_tensor(np.asarray(codes, dtype=np.float32), device=self.device)
        images: NDArray[np.float32] = self.method.decode(self.modules, tensor).float().cpu().numpy()
        return images

    def history(self) -> list[dict[str, float]]:
        """The lines of history.jsonl: step, each loss term, images a second."""
        path = self.folder / "history.jsonl"
        if not path.exists():
            return []
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except ValueError:
            raise BadInput(f"{path} is damaged") from None


def load_run(
    folder: str | os.PathLike[str],
    data: DataSet | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
) -> Run:
    """The run in a folder. `data` is needed only where the data set was made by hand."""
    folder = Path(folder)
    path = folder / "config.json"
    if not path.exists():
        raise BadInput(f"{folder} is not a run folder: it has no config.json")
    config = check_config(read_json(path), path)
    method = build(registry.get("methods", config["method"]), config["settings"], config["method"])
    return Run(folder, config, method, data, data_folder(data_dir))


def make_config(
    name: str, method: Method, data: DataSet, steps: int, seed: int, threads: int, device: str
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
            "image_shape": list(data.image_shape),
            "pixel_range": list(data.pixel_range),
        },
        "steps": steps,
        "seed": seed,
        "threads": threads,
        "device": device,
        "versions": {
            "distaff": distaff.__version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def check_config(config: Any, path: Path) -> dict[str, Any]:
    """The config, or an error that says what is wrong with the file."""
    kinds = {
        "method": str,
        "settings": dict,
        "dataset": dict,
        "steps": int,
        "seed": int,
        "threads": int,
        "device": str,
    }
    fine = isinstance(config, dict) and all(isinstance(config.get(key), kind) for key, kind in kinds.items())
    if fine:
        data = config["dataset"]
        fine = (
            isinstance(data.get("name"), str)
            and isinstance(data.get("options"), dict | None)
            and isinstance(data.get("fingerprint"), str)
            and _numbers(data.get("image_shape"), 3, 1, 4096)
            and _numbers(data.get("pixel_range"), 2, -1e30, 1e30)
        )
    if not fine:
        raise BadInput(f"{path} is not the config of a run")
    if config.get("format") != FORMAT:
        raise BadInput(f"{path} has format {config.get('format')!r}; this version reads format {FORMAT}")
    return config


def _numbers(value: Any, count: int, low: float, high: float) -> bool:
    return (
        isinstance(value, list)
        and len(value) == count
        and all(isinstance(v, int | float) and not isinstance(v, bool) and low <= v <= high for v in value)
    )


def to_unit(
    pixels: NDArray[Any], pixel_range: tuple[float, float] | list[float], device: torch.device
) -> Tensor:
    """Pixels as float32 in 0..1 on the device, laid out channels last."""
    low, high = pixel_range
    tensor = torch.from_numpy(pixels).to(device)
    tensor = tensor.to(torch.float32, memory_format=torch.channels_last)
    return (tensor - low).div_(high - low) if low else tensor / high


def choose_device(name: str) -> torch.device:
    """`auto` is a GPU if there is one, else the CPU."""
    if name == "auto":
        name = next((kind for kind in ("cuda", "mps") if _present(kind)), "cpu")
    if not _present(name):
        raise BadInput(f"device '{name}' is not available here. Allowed: auto, cpu, cuda, mps where present")
    return torch.device(name)


def _present(name: str) -> bool:
    kind = name.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.is_available()
    return kind == "cpu" or (kind == "mps" and torch.backends.mps.is_available())


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Use so many threads for the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
