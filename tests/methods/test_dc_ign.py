"""DC-IGN: its batches, its clamp against the definition, and what it refuses."""

import numpy as np
import pytest
import torch

import distaff
from distaff.batches.batch import Batch, Facts
from distaff.batches.one_group_varies import OneGroupVaries
from distaff.errors import BadInput
from distaff.methods.dc_ign import DCIGN, clamp
from distaff.testing import check_method

DATA = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=4)
NAMES = DATA.factors.names
GROUPS = [["x"], ["y"], ["scale"], ["shape", "orientation"]]


class Rows:
    """A data set whose images are its factors, to see what a batch holds."""

    name, factors, pairs, grid = "rows", DATA.factors, None, None

    def __len__(self):
        return len(DATA)

    def draw(self, size, rng):
        return rng.integers(len(DATA), size=size)

    def images(self, index):
        return DATA.labels(index)


def test_only_the_group_varies_and_the_last_one_most_often() -> None:
    rng, counts = np.random.default_rng(0), np.zeros(4)
    for _ in range(2000):
        batch = OneGroupVaries(GROUPS, 10.0).sample(Rows(), 32, rng)
        varying, groups = batch.varying
        assert groups == 4
        counts[varying] += 1
        varied = {NAMES[j] for j in np.flatnonzero(np.ptp(batch.images, axis=0))}
        assert varied <= set(GROUPS[varying])
    assert counts / 2000 == pytest.approx(np.array([1, 1, 1, 10]) / 13, abs=0.04)


def test_the_clamp_and_its_gradient_are_those_of_the_definition() -> None:
    codes = torch.randn((7, 5), dtype=torch.float64, requires_grad=True)
    above = torch.randn((7, 5), dtype=torch.float64)
    passing = torch.tensor([False, True, False, False, True])
    clamped = clamp(codes, passing, 0.3)
    clamped.backward(above)
    z, upstream = codes.detach().numpy(), above.numpy()
    expected, gradient = z.copy(), upstream.copy()
    for j in (0, 2, 3):
        expected[:, j] = z[:, j].mean()
        gradient[:, j] = 0.3 * (z[:, j] - z[:, j].mean())
    assert np.allclose(clamped.detach(), expected, atol=1e-12)
    assert np.allclose(codes.grad, gradient, atol=1e-12)


@pytest.mark.parametrize(("varying", "passing"), [(0, [0]), (2, [2]), (3, [3, 4, 5])])
def test_a_group_has_one_latent_and_the_last_all_that_are_left(varying: int, passing: list[int]) -> None:
    method = DCIGN(latents=6, groups="x;y;scale;shape,orientation", batch_size=4)
    facts = Facts((1, 16, 16), len(DATA), DATA.factors.sizes)
    modules = method.state(facts, torch.Generator().manual_seed(0)).modules
    images = torch.rand((4, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    codes = method.posterior(modules, Batch(images, 10, varying=(varying, 4)), torch.Generator())
    for part in (codes.mean, codes.logvar):
        varies = (part.detach().std(dim=0) > 1e-7).nonzero().flatten().tolist()
        assert varies == passing


def test_bad_input(tmp_path) -> None:
    for groups, message in (
        ("x;y", "must name each factor of dsprites once"),
        ("x;y;size;shape,orientation", "no factor 'size'|unknown factor 'size'"),
    ):
        with pytest.raises(BadInput, match=message):
            distaff.train("dc_ign", DATA, groups=groups, steps=1, out=tmp_path / "run")
    with pytest.raises(BadInput, match="latents=3 is fewer than the 4 groups"):
        distaff.train("dc_ign", DATA, groups="x;y;scale;shape,orientation", latents=3, out=tmp_path / "run")
    bare = distaff.datasets.ArrayImages(np.random.default_rng(0).random((20, 16, 16)))
    with pytest.raises(BadInput, match="dc_ign needs a data set with a grid of factors"):
        distaff.train("dc_ign", bare, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_battery() -> None:
    check_method(DCIGN(), steps=60)


def test_the_ratio_is_of_given_groups() -> None:
    assert DCIGN(groups="x;y,scale,shape,orientation").batch_options["last_ratio"] == 10
    assert DCIGN().batch_options == {"groups": None, "last_ratio": 1}
