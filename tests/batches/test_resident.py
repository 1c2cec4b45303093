"""Images that lie on the device give the same batches."""

import dataclasses

import numpy as np
import pytest
import torch

import distaff
from distaff import registry
from distaff.batches.feed import Feed
from distaff.batches.resident import Resident, fits, on_device
from distaff.datasets import ArrayImages
from distaff.methods.base import Stepped
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.dc_ign import DCIGN
from distaff.methods.factor_vae import FactorVAE
from distaff.methods.group_vae import GroupVAE
from distaff.methods.slow_vae import SlowVAE
from distaff.methods.vae import VAE

CPU, META = torch.device("cpu"), torch.device("meta")  # meta stands for a GPU: shapes, and no numbers
DATA = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=2, scale=2)


class Counted(ArrayImages):
    """Images whose data set counts how many are asked of it."""

    asked = 0

    def images(self, index: np.ndarray) -> np.ndarray:
        self.asked += len(index)
        return super().images(index)


@pytest.mark.parametrize("kind", registry.names("batches"))
def test_the_same_batches(kind: str) -> None:
    made = registry.get("batches", kind)()
    usual, theirs = (
        made.sample(data, 8, np.random.default_rng(3)).to(CPU, data.pixel_range)
        for data in (DATA, Resident(DATA, CPU))
    )
    for field in dataclasses.fields(usual):
        one, other = getattr(usual, field.name), getattr(theirs, field.name)
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other, field.name
    assert usual.images.max() == 1


def test_many_images_of_any_type_arrive_whole_and_in_order() -> None:
    rng = np.random.default_rng(0)
    real = ArrayImages(rng.random((20_000, 2, 2), dtype=np.float32))
    rows = rng.permutation(20_000)
    found = Resident(real, CPU).images(rows)
    assert found.dtype == torch.float32
    assert np.array_equal(found.numpy(), real.images(rows))
    assert Resident(DATA, CPU).images(rows[:1] * 0).dtype == torch.uint8  # a quarter of the memory


@pytest.mark.parametrize(("device", "asked"), [(CPU, 64), (META, 0)])
def test_no_batch_waits_for_the_data_set_of_another_device(device: torch.device, asked: int) -> None:
    data = Counted(np.random.default_rng(0).integers(256, size=(30, 16, 16), dtype=np.uint8))
    feed = Feed(BetaVAE(batch_size=64), data, 3, device)
    before = data.asked
    batch, _ = feed.at(7)
    assert (batch.images.device.type, batch.images.shape) == (device.type, (64, 1, 16, 16))
    assert data.asked - before == asked


@pytest.mark.parametrize(
    "method", [VAE(label_loss="squared", labelled_images=9), FactorVAE(), GroupVAE(), SlowVAE(), DCIGN()]
)
def test_rows_looked_up_are_the_batch(method: Stepped) -> None:
    feed = Feed(method, Resident(DATA, CPU), 3)
    batch, rng = feed.at(7)
    rows, seed = feed.rows(7)
    assert rows.images.dtype == np.int64
    assert seed == rng.initial_seed()
    arrays = {name: value for name, value in vars(rows).items() if isinstance(value, np.ndarray)}
    found = feed.looked_up(dataclasses.replace(rows, **{n: torch.from_numpy(a) for n, a in arrays.items()}))
    for name, value in vars(batch).items():
        other = getattr(found, name)
        assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other, name


def test_what_lies_on_the_device_is_not_copied_again() -> None:
    once = on_device(DATA, META)
    assert isinstance(once, Resident)
    assert on_device(once, META) is once
    assert on_device(DATA, CPU) is DATA


class Large:
    """As many images of a kilobyte."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def images(self, index: np.ndarray) -> np.ndarray:
        return np.zeros((len(index), 1, 32, 32), np.uint8)


def test_it_is_for_other_devices_and_up_to_4_gigabytes() -> None:
    assert fits(Large(4 * 2**20), META)
    assert not fits(Large(4 * 2**20 + 1), META)
    assert not fits(Large(1), CPU)
