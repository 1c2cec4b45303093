"""Checkpoints and weights: flat dicts of tensors in safetensors files, replaced atomically."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from distaff.errors import BadInput
from distaff.files import check_file, replacing
from distaff.interrupt import unbroken

UNWRITTEN = "unwritten"  # what a checkpoint calls the terms of steps that no line of the history has


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Replace `path` by the tensors. The bytes depend on names and values alone."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with unbroken(), replacing(path) as partial:
        partial.write_bytes(save(plain))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, or one clear error."""
    check_file(path)
    try:
        tensors = dict(load_file(path))
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError, MemoryError) as error:
        raise BadInput(f"{path} is damaged: {error}") from None
    for name, value in tensors.items():
        if value.is_floating_point() and value.element_size() > 1 and not value.isfinite().all():
            raise BadInput(f"{path} is damaged: {name} holds values that are no finite numbers")
    return tensors


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], int]:
    """The state of a checkpoint and the number of steps behind it."""
    tensors = load_tensors(path)
    tensors.pop(UNWRITTEN, None)
    step = tensors.pop("step", None)
    if step is None or step.shape or step.dtype != torch.int64 or int(step) < 0:
        raise BadInput(f"{path} is damaged: it holds no step")
    return tensors, int(step)


def load_unwritten(path: Path) -> Tensor | None:
    """The terms (steps, terms) that a checkpoint, loaded before, keeps for the history, if there are any."""
    if not path.exists():
        return None
    with safe_open(path, "pt") as file:
        found: Tensor | None = file.get_tensor(UNWRITTEN) if UNWRITTEN in file.keys() else None  # noqa: SIM118
    if found is not None and (found.ndim != 2 or not found.is_floating_point()):
        raise BadInput(f"{path} is damaged: its terms for the history are no table")
    return found
