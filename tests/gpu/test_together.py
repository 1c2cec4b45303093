"""On a CUDA GPU: runs trained as one in their folders, stopped and resumed, with one that diverges."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import torch

import distaff
from distaff.errors import Diverged, Interrupted
from distaff.methods.beta_vae import BetaVAE
from distaff.training.checkpoint import load_tensors
from distaff.training.graph import Graph
from distaff.training.run import Run
from distaff.training.together import train_together
from distaff.training.train import Asked

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")

DATA = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)


def asked(folder: Path, rates: tuple[float, ...] = (1e-3, 5e-4, 1e-4)) -> list[Asked]:
    betas = enumerate(zip((1.0, 4.0, 8.0), rates, strict=True))
    return [Asked(BetaVAE(beta=b, learning_rate=rate), 150, n, folder / str(n)) for n, (b, rate) in betas]


def weights(each: Asked) -> dict[str, torch.Tensor]:
    return load_tensors(each.out / "model.safetensors")


def test_each_is_the_run_that_it_is_alone(tmp_path: Path) -> None:
    runs = asked(tmp_path / "as one")
    for each, run in zip(runs, train_together(runs, DATA, device="cuda", show=False), strict=True):
        assert isinstance(run, Run)
        out = tmp_path / "alone" / each.out.name
        alone = distaff.train(
            each.method, DATA, steps=150, seed=each.seed, out=out, device="cuda", show=False
        )
        for name, value in load_tensors(alone.folder / "model.safetensors").items():
            assert torch.equal(value, weights(each)[name])
        assert run.config == alone.config
        assert run.encode(DATA.images(range(10))).mean.shape == (10, 10)


def test_stopped_and_run_again_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = asked(tmp_path / "whole"), asked(tmp_path / "broken")
    train_together(whole, DATA, device="cuda", show=False)
    step = Graph.step

    def stopped(self: Graph, number: int) -> Any:
        if number == 120:
            signal.raise_signal(signal.SIGTERM)
        return step(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(Graph, "step", stopped)
        with pytest.raises(Interrupted, match="stopped at step 121 of 150"):
            train_together(broken, DATA, device="cuda", show=False)
    train_together(broken, DATA, device="cuda", show=False)
    for one, other in zip(whole, broken, strict=True):
        ours, theirs = weights(one), weights(other)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_that_diverges_stops_alone(tmp_path: Path) -> None:
    runs = asked(tmp_path, (1e-3, 1e9, 1e-4))
    found = train_together(runs, DATA, device="cuda", show=False)
    assert [type(each) for each in found] == [Run, Diverged, Run]
    assert all(value.isfinite().all() for n in (0, 2) for value in weights(runs[n]).values())
