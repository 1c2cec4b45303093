"""A relation network that learns to complete matrices of a grid, from what it sees of the grid's cells.

Every batch of matrices is drawn by (seed, step) alone and never comes again; those that it is tested on are
drawn once, by the seed. Weights, optimiser values, step and accuracies so far are kept in one file, replaced
at every test: a call that was stopped, or one that asks for more steps, goes on from there, to the same
numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.errors import BadInput, Diverged
from distaff.evaluation.reasoning.matrices import CONTEXT, Drawn, Matrices
from distaff.methods.state import State, adam, descend
from distaff.networks.initial import fresh
from distaff.networks.relation import Relations
from distaff.progress import progress, say
from distaff.randomness import derived
from distaff.training.checkpoint import load_checkpoint, save_tensors

BATCH, TESTED, RATE = 32, 2_000, 1e-3
WIDTH, LAYERS = 64, 2
AT_ONCE = 200  # matrices of a test


class Sight(NamedTuple):
    """What is seen of cells (n,) of a grid: `look` gives (n, d), or what `encoder` makes (n, d) of.

    `size` is d; the encoder, if there is one, learns with the relation network. `name` tells apart what
    different sights see.
    """

    name: str
    size: int
    look: Callable[[NDArray[np.int64]], Tensor]
    encoder: Callable[[], nn.Module] | None = None


def sight_of(codes: ArrayLike, name: str, device: torch.device | str = "cpu") -> Sight:
    """Codes (n, d) of all cells of a grid, in its order, as something to be seen.

    Each latent is moved to mean 0, and all are divided by the deviation of the widest: what is small stays
    so, since it may be noise.
    """
    table = np.asarray(codes, dtype=np.float64)
    widest = table.std(axis=0).max()
    scaled = torch.from_numpy((table - table.mean(axis=0)) / (widest or 1.0)).float().to(device)
    digest = hashlib.sha256(np.ascontiguousarray(scaled.cpu().numpy()).tobytes()).hexdigest()
    return Sight(f"{name} {digest}", table.shape[1], lambda cells: scaled[torch.from_numpy(cells).to(device)])


class Reasoner:
    """A relation network for matrices of a grid, seen as `sight` has it, with its weights kept in `path`."""

    def __init__(
        self, sight: Sight, matrices: Matrices, path: Path, seed: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        self.sight, self.matrices, self.path, self.seed, self.device = sight, matrices, path, seed, device
        rng = torch.Generator().manual_seed(seed)
        modules = {"relations": fresh(lambda: Relations(sight.size, WIDTH, LAYERS), rng)}
        if sight.encoder is not None:
            modules["encoder"] = fresh(sight.encoder, rng)
        network = nn.ModuleDict(modules).to(device)
        self.state = State(network, {"adam": adam(network.parameters())})
        self.accuracies: list[float] = []
        self.step = 0

    def learn(self, steps: int, every: int, show: bool = True) -> list[float]:
        """The accuracies (0..1; 1/6 is chance) after every `every` of so many steps, a multiple of it."""
        self._resume(every)
        if show and 0 < self.step < steps:
            say(f"resumed at step {self.step}")
        with progress("reasoning", steps, self.step, show) as report:
            while self.step < steps:
                self._learn_from(self.matrices.draw(BATCH, [derived(self.seed, "matrices"), self.step]))
                self.step += 1
                if self.step % every == 0:
                    self.accuracies.append(self.accuracy())
                    self._save(every)
                    report(self.step, f"accuracy {self.accuracies[-1]:.3f}")
        return self.accuracies[: steps // every]

    @torch.inference_mode()
    def accuracy(self) -> float:
        """The share of 2,000 matrices, which it never learns from, that it completes rightly."""
        tested = self.matrices.draw(TESTED, derived(self.seed, "tested matrices"))
        self.state.modules.eval()
        parts = [tested.some(slice(start, start + AT_ONCE)) for start in range(0, TESTED, AT_ONCE)]
        chosen = np.concatenate([self.logits(part).argmax(dim=1).cpu().numpy() for part in parts])
        self.state.modules.train()
        return float((chosen == tested.right).mean())

    def logits(self, drawn: Drawn) -> Tensor:
        """The logit of every answer (n, 6) of some matrices."""
        panels = np.concatenate([drawn.context, drawn.answers], axis=1)
        cells = self.matrices.space.index(panels.reshape(-1, panels.shape[2]))
        seen = self.sight.look(cells)
        if "encoder" in self.state.modules:
            seen = self.state.modules["encoder"](seen)
        seen = seen.view(*panels.shape[:2], -1)
        found: Tensor = self.state.modules["relations"](seen[:, :CONTEXT], seen[:, CONTEXT:])
        return found

    def _learn_from(self, drawn: Drawn) -> None:
        right = torch.from_numpy(drawn.right).to(self.device)
        descend(self.state.optimisers["adam"], F.cross_entropy(self.logits(drawn), right), RATE)

    def _task(self, every: int) -> Tensor:
        """A hash of all that its curve is made of, but the number of steps."""
        matrices, grid = self.matrices, self.matrices.space
        task = (self.sight.name, grid.names, grid.sizes, matrices.kind, matrices.rules, self.seed, every)
        made = repr((*task, BATCH, TESTED, RATE, WIDTH, LAYERS))
        return torch.tensor(list(hashlib.sha256(made.encode()).digest()), dtype=torch.uint8)

    def _resume(self, every: int) -> None:
        """Go on from where the kept file is, if it is of the same task."""
        if not self.path.exists():
            return
        tensors, step = load_checkpoint(self.path)
        task, accuracies = tensors.pop("task", None), tensors.pop("accuracies", None)
        if task is None or accuracies is None:
            raise BadInput(f"{self.path} is damaged: it holds no task; remove it")
        if torch.equal(task, self._task(every)):
            self.state.load(tensors)
            self.step, self.accuracies = step, accuracies.tolist()

    def _save(self, every: int) -> None:
        tensors = self.state.tensors()
        if not all(value.isfinite().all() for value in tensors.values()):
            raise Diverged(f"the relation network is no longer finite after step {self.step}")
        kept = {"task": self._task(every), "accuracies": torch.tensor(self.accuracies, dtype=torch.float64)}
        save_tensors(self.path, tensors | kept | {"step": torch.tensor(self.step)})
