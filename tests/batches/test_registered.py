"""Every registered kind of batch: its example is like what it draws, and all of it reaches the device."""

import dataclasses

import numpy as np
import pytest
import torch

import distaff
from distaff import registry
from distaff.batches.batch import Batch, Facts

DATA = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=2, scale=2)
FACTS = Facts(DATA.image_shape, len(DATA), DATA.factors.sizes, words=DATA.factors.sizes)
CPU = torch.device("cpu")
KINDS = pytest.mark.parametrize("name", registry.names("batches"))


def drawn(name: str, seed: int = 0) -> Batch:
    return registry.get("batches", name)().sample(DATA, 8, np.random.default_rng(seed))


@KINDS
def test_a_batch_depends_on_its_generator_alone(name: str) -> None:
    first, same, other = drawn(name), drawn(name), drawn(name, 1)
    np.testing.assert_array_equal(first.images, same.images)
    assert not np.array_equal(first.images, other.images)
    assert first.population == len(DATA)


@KINDS
def test_the_example_has_the_parts_and_shapes_of_what_is_drawn(name: str) -> None:
    def images(count: int) -> torch.Tensor:
        return torch.rand((count, *DATA.image_shape))

    rng = torch.Generator().manual_seed(0)
    example = registry.get("batches", name)().example(images, FACTS, 8, rng)
    moved = drawn(name).to(CPU, DATA.pixel_range)
    for each in dataclasses.fields(Batch):
        ours, theirs = getattr(example, each.name), getattr(moved, each.name)
        assert type(ours) is type(theirs), each.name
        if isinstance(ours, torch.Tensor):
            assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), each.name


def test_a_new_field_is_not_lost_on_the_way_to_the_device() -> None:
    @dataclasses.dataclass(frozen=True)
    class WithRewards(Batch):
        rewards: object = None

    pixels = np.full((2, 1, 4, 4), 255, np.uint8)
    moved = WithRewards(pixels, 10, rewards=np.array([3, 1]), labelled=pixels).to(CPU, (0, 255))
    assert isinstance(moved, WithRewards)
    assert moved.rewards.tolist() == [3, 1]
    assert moved.labelled.max() == moved.images.max() == 1
    assert (moved.population, moved.changed) == (10, None)


def test_tensors_reach_the_device_as_arrays_do() -> None:
    meta = torch.device("meta")
    moved = Batch(np.zeros((2, 1, 4, 4), np.uint8), 10, changed=torch.zeros(1, 3), labels=np.zeros(2)).to(
        meta, (0, 255)
    )
    assert {moved.images.device, moved.changed.device, moved.labels.device} == {meta}
