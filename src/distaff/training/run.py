"""A run: one trained method in a folder, ready to encode and decode."""

import dataclasses
import functools
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from distaff import registry
from distaff.batches.batch import Facts, to_unit
from distaff.batches.kind import Kind
from distaff.concepts import OPERATORS
from distaff.datasets import DataSet, load_dataset
from distaff.errors import BadInput, unknown
from distaff.machine import data_folder
from distaff.methods.base import Codes, Method
from distaff.networks.threads import network_threads
from distaff.settings import build, whole_number
from distaff.tables.memory import of_tensor
from distaff.training.checkpoint import load_tensors
from distaff.training.config import Config, DataConfig, facts_of, read_config
from distaff.training.device import arithmetic, choose_device, is_present, usual_torch
from distaff.training.history import read_history

ENCODE_BATCH = 512


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder with its config, method and data set.

    `encode(images)` and `decode(codes)` take and give NumPy arrays; images as the data set gives them.
    """

    folder: Path
    config: Config
    method: Method
    given_data: DataSet | None = dataclasses.field(default=None, repr=False)
    data_dir: Path | None = dataclasses.field(default=None, repr=False)
    wanted_device: str | None = dataclasses.field(default=None, repr=False)

    def __fspath__(self) -> str:
        return os.fspath(self.folder)

    @functools.cached_property
    def data(self) -> DataSet:
        """The data set the run was trained on, or an error if it is no longer the same."""
        recorded = self.config.dataset
        data = self.given_data
        if data is None:
            if recorded.options is None:
                raise BadInput(f"{self.folder} was trained on a data set made by hand; pass it as data=")
            data = self._loaded(recorded)
        if data.fingerprint() != recorded.fingerprint:
            is_own = recorded.name not in registry.names("datasets")
            raise BadInput(
                f"the data set {recorded.name} ({data.source}) is not the one {self.folder} was trained on "
                f"({recorded.source}){', as it was then' if is_own else '; is --data-dir missing?'}"
            )
        if tuple(data.image_shape) != recorded.image_shape or len(data) != recorded.images:
            raise BadInput(f"{self.folder / 'config.json'} is damaged: {recorded.name} has other images")
        return data

    def _loaded(self, recorded: DataConfig) -> DataSet:
        """The data set by its name, or where it was."""
        name = recorded.name
        if name not in registry.names("datasets") and not os.path.exists(name):
            raise BadInput(
                f"{name}, which {self.folder} was trained on, is not there any more; where the same data lie "
                "elsewhere, train with them as --dataset and the same settings and --out once more: the "
                "folder is finished at once and knows the place (in Python load_run takes them as data=)"
            )
        return load_dataset(name, data_dir=self.data_dir, **(recorded.options or {}))

    def check_current(self) -> None:
        """An error where training went on since this was loaded: its weights are not those of its folder."""
        steps = read_config(self.folder / "config.json").steps
        if steps != self.config.steps:
            raise BadInput(
                f"the run in {self.folder} has {steps:,} steps now, and {self.config.steps:,} when it was "
                "loaded; load it again, as with distaff.load_run"
            )

    @property
    def normalised_beta(self) -> float | None:
        """beta * latents / pixels (Higgins et al. 2017), which carries over between image sizes.

        Where images are compared by features, by their number instead. beta is what the KL of an
        image is multiplied by for once its reconstruction, in the end if they follow schedules. None where
        there is no such number.
        """
        method = self.method.at(self.config.steps)
        beta, weight = (getattr(method, name, None) for name in ("kl_weight", "reconstruction_weight"))
        if beta is None or not weight:
            return None
        return float(beta * method.latents / (weight * method.compared_size(self.facts)))

    @property
    def effort(self) -> str:
        """What it took, in words: its steps, which mean nothing to a method that is fitted at once."""
        return "fitted" if self.method.fitted else f"{self.config.steps:,} steps"

    @property
    def facts(self) -> Facts:
        """What the method knew of its data."""
        return facts_of(self.config)

    @property
    def code_size(self) -> int:
        """How many numbers a code has."""
        return self.method.code_size(self.facts)

    @property
    def device(self) -> torch.device:
        """Where it encodes: the device that was asked for, or the one it was trained on, or where that is
        absent the CPU."""
        trained_on = self.config.device if is_present(self.config.device) else "cpu"
        return choose_device(self.wanted_device or trained_on)

    @contextmanager
    def threads(self) -> Iterator[None]:
        """As many threads as in training for the block, so that codes are the same to the last bit."""
        with network_threads(self.config.threads, ENCODE_BATCH), arithmetic():
            yield

    @functools.cached_property
    def modules(self) -> nn.ModuleDict:
        """The trained networks, in evaluation mode."""
        path = self.folder / "model.safetensors"
        if not path.exists():
            raise BadInput(f"{self.folder} holds no finished model; train it first")
        self.check_current()
        with usual_torch():
            state = self.method.state(self.facts, torch.Generator())
        state.load_weights(load_tensors(path))
        return state.modules.to(self.device).eval()

    def batches(self, images: ArrayLike) -> Iterator[Tensor]:
        """Images (n, C, H, W) as the data set gives them: in 0..1, on the device, 512 at a time.

        Booleans are black and white. BadInput where pixels are far from the data set's range.
        """
        pixels, data = np.asarray(of_tensor(images)), self.config.dataset
        if pixels.shape[1:] != data.image_shape:
            raise BadInput(f"images must be (n, *{list(data.image_shape)}), got {pixels.shape}")
        if not len(pixels):
            raise BadInput("there are no images to encode")
        pixels = _in_range(pixels, data.pixel_range)
        for start in range(0, len(pixels), ENCODE_BATCH):
            part = pixels[start : start + ENCODE_BATCH]
            yield to_unit(part, data.pixel_range, self.device)

    @torch.inference_mode()
    def encode(self, images: ArrayLike, seed: int = 0) -> Codes:
        """Codes of images (n, C, H, W): mean and log-variance (n, d) in float32, and a seeded sample."""
        generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
        with self.threads():
            parts = [self.method.encode(self.modules, batch, generator) for batch in self.batches(images)]
        columns = (None if c[0] is None else torch.cat(c) for c in zip(*parts, strict=True))
        return self._as_arrays(Codes(*columns))

    @torch.inference_mode()
    def decode(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Images (n, C, H, W) in 0..1 of codes (n, d)."""
        rows = self._rows(codes, self.code_size, "codes")
        with self.threads():
            images = self.method.decode(self.modules, rows)
        return np.asarray(images.float().cpu().numpy())

    @torch.inference_mode()
    def encode_symbols(self, symbols: ArrayLike, seed: int = 0) -> Codes:
        """Codes of k-hot symbols (n, m): mean and log-variance (n, d) in float32, and a seeded sample."""
        generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
        if not self.facts.words:
            raise BadInput(f"{self.folder} is a run of {self.config.method}, which knows no symbols")
        rows = self._rows(symbols, sum(self.facts.words), "symbols")
        with self.threads():
            return self._as_arrays(self.method.encode_symbols(self.modules, rows, generator))

    @torch.inference_mode()
    def decode_symbols(self, codes: ArrayLike) -> NDArray[np.float32]:
        """The probability (n, m) in 0..1 of every word of codes (n, d)."""
        rows = self._rows(codes, self.code_size, "codes")
        with self.threads():
            words = self.method.decode_symbols(self.modules, rows)
        return np.asarray(words.float().cpu().numpy())

    @torch.inference_mode()
    def combine(self, first: ArrayLike, second: ArrayLike, operator: str, seed: int = 0) -> Codes:
        """Codes of what an operator, one of OPERATORS by name, makes of symbols (n, m) and others (n, m)."""
        if operator not in OPERATORS:
            raise unknown("operator", operator, OPERATORS)
        generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
        codes = (self.encode_symbols(symbols, seed) for symbols in (first, second))
        one, other = (Codes(*(torch.from_numpy(each).to(self.device) for each in code)) for code in codes)
        numbers = torch.full((len(one.mean),), [*OPERATORS].index(operator), device=self.device)
        with self.threads():
            return self._as_arrays(self.method.combine(self.modules, one, other, numbers, generator))

    @property
    def kind_of_batches(self) -> Kind:
        """The kind of batches that it was trained on, with its options."""
        options = self.method.batch_options_on(self.facts.bases)
        kind: Kind = registry.get("batches", self.method.batches)(**options)
        return kind

    def _rows(self, values: ArrayLike, size: int, what: str) -> Tensor:
        """An array (n, size) on the device."""
        try:
            array = np.array(of_tensor(values), dtype=np.float32)
        except (TypeError, ValueError):
            raise BadInput(f"{what} must be numbers of shape (n, {size})") from None
        if array.ndim != 2 or array.shape[1] != size:
            raise BadInput(f"{what} must have shape (n, {size}), got {array.shape}")
        if not np.isfinite(array).all():
            raise BadInput(f"{what} hold NaN or infinite values")
        return torch.from_numpy(array).to(self.device)

    def _as_arrays(self, codes: Codes) -> Codes:
        """Codes in float32, which must be finite numbers."""
        columns = [None if each is None else each.float() for each in codes]
        if not all(each is None or each.isfinite().all() for each in columns):
            raise BadInput(f"the model in {self.folder} gives codes that are no finite numbers")
        return Codes(*(None if each is None else each.cpu().numpy() for each in columns))

    def history(self) -> list[dict[str, float]]:
        """The lines of history.jsonl: step, each loss term, images a second."""
        return read_history(self.folder / "history.jsonl")


def _in_range(pixels: NDArray[Any], pixel_range: tuple[float, float]) -> NDArray[Any]:
    """Pixels of this range, from black to white: booleans as such; BadInput where they have another."""
    if pixels.dtype == bool:
        return np.where(pixels, np.float32(pixel_range[1]), np.float32(pixel_range[0]))
    if pixels.dtype.kind not in "iuf":
        raise BadInput(f"images must be numbers, got {pixels.dtype}")
    (low, high), least, most = pixel_range, float(pixels.min()), float(pixels.max())
    if not np.isfinite([least, most]).all():
        raise BadInput("images hold NaN or infinite values")
    span = high - low  # noise may lead beyond it
    if least < low - span or most > high + span:
        raise BadInput(
            f"pixels run from {least:g} to {most:g}, where {low:g} is black and {high:g} is white; give "
            "images as the data set does, as with run.data.images(index)"
        )
    if pixel_range == (0, 255) and 0 <= least < most <= 1:
        warnings.warn(
            f"the brightest pixel is {most:g} of 255, all but black; if 1 is white, encode images * 255",
            stacklevel=2,
        )
    return pixels


def load_run(
    folder: str | os.PathLike[str],
    data: DataSet | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    device: str | None = None,
) -> Run:
    """The run in a folder. `data` is needed only where the data set was made by hand.

    It encodes and decodes on the `device` (auto, cpu, cuda, mps), by default the one it was trained on.
    """
    folder = Path(folder)
    path = folder / "config.json"
    if not path.exists():
        raise BadInput(f"{folder} is not a run folder: it has no config.json")
    config = read_config(path)
    method = build(registry.get("methods", config.method), config.settings, config.method)
    return Run(folder, config, method, data, data_folder(data_dir), device)
