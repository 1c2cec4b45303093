"""Images that lie on the device give the same batches."""

import numpy as np
import pytest
import torch

import distaff
from distaff.batches import feed, resident
from distaff.batches.feed import Feed
from distaff.methods.ada_gvae import AdaGVAE
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.factor_vae import FactorVAE
from distaff.methods.group_vae import GroupVAE
from distaff.methods.slow_vae import SlowVAE

CPU = torch.device("cpu")
DATA = {"resolution": 16, "x": 4, "y": 4, "orientation": 2, "scale": 2}


@pytest.mark.parametrize(
    "method",
    [BetaVAE(label_loss="squared", labelled_images=50), FactorVAE(), AdaGVAE(), GroupVAE(), SlowVAE()],
)
def test_the_same_batches(method: BetaVAE, monkeypatch: pytest.MonkeyPatch) -> None:
    data = distaff.load_dataset("dsprites", **DATA)
    usual = Feed(method, data, 3).at(7)[0]
    monkeypatch.setattr(feed, "fits", lambda *_: True)
    theirs = Feed(method, data, 3)
    assert isinstance(theirs._data, resident.Resident)
    assert theirs._data._images.dtype == torch.uint8
    for name, value in vars(usual).items():
        other = getattr(theirs.at(7)[0], name)
        assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other


def test_it_is_for_other_devices_and_moderate_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    data, meta = distaff.load_dataset("dsprites", **DATA), torch.device("meta")
    assert not resident.fits(data, CPU)
    assert resident.fits(data, meta)
    monkeypatch.setattr(resident, "MOST", len(data) * 256 - 1)
    assert not resident.fits(data, meta)


def test_filled_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "ROWS", 5)
    data = distaff.load_dataset("dsprites", **DATA)
    whole = resident.Resident(data, CPU).images(np.arange(len(data)))
    assert np.array_equal(whole.numpy(), data.images(np.arange(len(data))))
