"""Networks in lower precision and compiled, against the plain ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import distaff
from distaff.errors import BadInput
from distaff.methods.beta_vae import BetaVAE
from distaff.networks.network import Network

DATA = {"resolution": 16, "x": 8, "y": 8, "orientation": 2}


def network() -> Network:
    torch.manual_seed(0)
    return Network(nn.Linear(6, 50), nn.ReLU(), nn.Linear(50, 3))


def test_lower_precision_rounds_in_training_alone() -> None:
    plain, lower = network(), network()
    lower.lower = torch.bfloat16
    inputs = torch.randn(20, 6, generator=torch.Generator().manual_seed(0))
    expected, found = plain(inputs), lower(inputs)
    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.02)
    found.sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in lower.parameters())
    assert torch.equal(lower.eval()(inputs), plain.eval()(inputs))


def test_lower_precision_learns_the_same(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", **DATA)
    last = {}
    for precision in ("float32", "bfloat16"):
        run = distaff.train(
            BetaVAE(precision=precision, learning_rate=1e-3, batch_size=16, beta=1.0),
            data,
            steps=200,
            threads=1,
            show=False,
            out=tmp_path / precision,
        )
        last[precision] = run.history()[-1]["loss"]
        assert run.encode(data.images(np.arange(4))).mean.dtype == np.float32
    assert last["bfloat16"] == pytest.approx(last["float32"], rel=0.05)
    assert last["bfloat16"] != last["float32"]


def test_a_compiler_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        def run(_: Any) -> Any:
            raise torch._dynamo.exc.TorchDynamoException("no compiler\nand more")

        return run

    monkeypatch.setattr(torch, "compile", broken)
    compiled = network()
    compiled.compiled = True
    with pytest.raises(BadInput, match=r"^compile=true does not work here \(no compiler\); leave it out$"):
        compiled(torch.zeros(1, 6))
    compiled.eval()(torch.zeros(1, 6))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch's own imports
def test_compiled_networks_give_the_same_losses(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", **DATA)
    losses = []
    for compiled in (False, True):
        method = BetaVAE(compile=compiled, batch_size=16)
        run = distaff.train(method, data, steps=100, threads=1, show=False, out=tmp_path / str(compiled))
        losses.append(run.history()[-1]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
