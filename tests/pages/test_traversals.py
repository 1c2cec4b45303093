"""Traversals: what moves, over which values, and what it is called."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import distaff
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.evaluation.encode import Encoding
from distaff.methods.base import Method
from distaff.pages.traversals import has_prior, nearest_the_centre, traversal, traversals

#: codes of 101 images: the centre is the last, one latent is 0..100, two are constant but for two images
CODES = np.zeros((101, 3), dtype=np.float32)
CODES[:, 0] = [*range(50), *range(51, 101), 50]
CODES[:2, 1:] = 7, -7


def fake(
    names: list[str], one_hot: dict[str, list[int]] | None = None, prior: bool = False
) -> SimpleNamespace:
    """A run that decodes a code to an image of a row of pixels, which are the numbers of the code."""
    method = SimpleNamespace(
        column_names=lambda facts: names, one_hot=lambda facts: one_hot or {}, has_prior=prior
    )
    return SimpleNamespace(method=method, facts=None, decode=lambda codes: codes[:, None, None, :])


def encoded(codes: np.ndarray, logvar: np.ndarray | None = None) -> Encoding:
    return Encoding(np.arange(len(codes)), codes, logvar, codes)


def test_with_a_prior_a_latent_moves_over_it_and_no_other_does() -> None:
    for run, logvar in (
        (fake(["a", "b", "c"]), np.zeros_like(CODES)),
        (fake(["a", "b", "c"], prior=True), None),
    ):
        first, second = traversals(run, encoded(CODES, logvar), [2, 0])
        assert (first.name, first.columns, second.name, second.columns) == ("c", [2], "a", [0])
        assert first.values == ["-2", "-1.6", "-1.2", "-0.8", "-0.4", "0", "0.4", "0.8", "1.2", "1.6", "2"]
        assert first.images.shape == (11, 1, 1, 3)
        steps = [-2, -1.6, -1.2, -0.8, -0.4, 0, 0.4, 0.8, 1.2, 1.6, 2]
        np.testing.assert_allclose(first.images[:, 0, 0], [(50, 0, step) for step in steps], atol=1e-6)
        np.testing.assert_allclose(second.images[:, 0, 0], [(step, 0, 0) for step in steps], atol=1e-6)


def test_without_a_prior_a_latent_moves_over_its_own_codes() -> None:
    (strip,) = traversals(fake(["a", "b", "c"]), encoded(CODES), [0])
    moved = strip.images[:, 0, 0]
    np.testing.assert_allclose(moved[:, 0], np.linspace(1, 99, 11), rtol=1e-6)  # 1 % and 99 % of 0..100
    assert (moved[:, 1:] == 0).all()
    assert (strip.values[0], strip.values[-1]) == ("1", "99")


def test_a_categorical_code_is_one_strip_with_an_image_for_each_value() -> None:
    run = fake(["k=0", "k=1", "k=2", "c"], {"k": [0, 1, 2]}, prior=True)
    codes = np.array([(1, 0, 0, -1), (0, 1, 0, 0.25), (0, 1, 0, 3)], dtype=np.float32)
    first, second = traversals(run, encoded(codes), [1, 3, 0, 2])
    assert (first.name, first.values, second.name) == ("k", ["0", "1", "2"], "c")
    expected = [(1, 0, 0, 0.25), (0, 1, 0, 0.25), (0, 0, 1, 0.25)]
    np.testing.assert_array_equal(first.images[:, 0, 0], expected)
    np.testing.assert_allclose(second.images[[0, -1], 0, 0], [(0, 1, 0, -2), (0, 1, 0, 2)])


def test_traversals_start_at_the_image_nearest_the_centre_of_all() -> None:
    codes = np.array([(0, 0), (4, 4), (6, 4.5), (5, 100), (100, 6)], dtype=np.float32)  # medians 5 and 4.5
    np.testing.assert_array_equal(nearest_the_centre(encoded(codes)), (6, 4.5))


def test_one_traversal_keeps_all_other_columns() -> None:
    one = traversal(fake([]), [1, 2, 3], 1, [7, 8])
    np.testing.assert_array_equal(one[:, 0, 0], [(1, 7, 3), (1, 8, 3)])
    two = traversal(fake([]), [1, 2, 3], [0, 2], [(5, 6)])
    np.testing.assert_array_equal(two[:, 0, 0], [(5, 2, 6)])


def test_of_many_latents_the_first_twenty_are_shown() -> None:
    codes = np.zeros((3, 30), dtype=np.float32)
    strips = traversals(fake([f"z{j}" for j in range(30)]), encoded(codes), range(29, -1, -1))
    assert [strip.name for strip in strips] == [f"z{j}" for j in range(29, 9, -1)]


DATA = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))


def made(tmp_path: Path, method: str, **settings) -> tuple[distaff.Run, Encoding]:
    run = distaff.train(method, DATA, out=tmp_path / method, threads=1, show=False, steps=2, **settings)
    index = np.arange(60)
    return run, Encoding(index, *run.encode(DATA.images(index)))


@pytest.mark.parametrize(
    ("method", "settings", "names", "prior"),
    [
        ("pca", {"latents": 3, "images": 60}, ["z2", "z1", "z0"], False),
        ("vae", {"latents": 3}, ["z2", "z1", "z0"], True),
        ("info_gan", {"categorical": 1, "categories": 2, "latents": 1}, ["k1", "c1"], True),
    ],
)
def test_real_runs_name_their_columns_and_say_whether_they_have_a_prior(
    tmp_path: Path, method: str, settings: dict[str, int], names: list[str], prior: bool
) -> None:
    run, encoding = made(tmp_path, method, **settings)
    assert has_prior(run, encoding) is prior
    strips = traversals(run, encoding, [2, 1, 0])
    assert [strip.name for strip in strips] == names
    for strip in strips:
        assert strip.images.shape == (len(strip.values), 1, 16, 16)
        assert 0 <= strip.images.min() <= strip.images.max() <= 1


def test_methods_without_a_decoder_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, encoding = made(tmp_path, "vae")
    monkeypatch.setattr(type(run.method), "decode", Method.decode)
    with pytest.raises(BadInput, match="has no decoder"):
        traversals(run, encoding, [0])
