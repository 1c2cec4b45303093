"""Traversals: what moves, over which values, and what it is called."""

from pathlib import Path

import numpy as np
import pytest

import distaff
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.evaluation.encode import Encoding
from distaff.methods.base import Method
from distaff.reporting.traversals import nearest_the_centre, traversals

DATA = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))


def made(tmp_path: Path, method: str, **settings) -> tuple[distaff.Run, Encoding]:
    run = distaff.train(method, DATA, out=tmp_path / method, threads=1, show=False, steps=2, **settings)
    index = np.arange(60)
    return run, Encoding(index, *run.encode(DATA.images(index)))


def test_with_a_prior_a_latent_moves_over_it_and_no_other_does(tmp_path: Path) -> None:
    run, encoding = made(tmp_path, "vae", latents=3)
    strips = traversals(run, encoding, [2, 0])
    assert [strip.name for strip in strips] == ["z2", "z0"]
    for strip in strips:
        assert strip.values[:2] == ["-2", "-1.6"]
        expected = np.tile(nearest_the_centre(encoding), (11, 1))
        expected[:, strip.columns[0]] = np.linspace(-2, 2, 11)
        np.testing.assert_array_equal(strip.images, run.decode(expected))


def test_without_a_prior_a_latent_moves_over_its_own_codes(tmp_path: Path) -> None:
    run, encoding = made(tmp_path, "pca", latents=3, images=60)
    (strip,) = traversals(run, encoding, [1])
    low, high = np.quantile(encoding.mean[:, 1], [0.01, 0.99])
    assert strip.values[0] == f"{low:.2g}"
    assert strip.values[-1] == f"{high:.2g}"
    ends = np.tile(nearest_the_centre(encoding), (2, 1))
    ends[:, 1] = low, high
    np.testing.assert_allclose(strip.images[[0, -1]], run.decode(ends), atol=1e-6)


def test_a_categorical_code_is_one_strip_with_an_image_for_each_value(tmp_path: Path) -> None:
    run, encoding = made(tmp_path, "info_gan", categorical=2, categories=3, latents=2)
    names = ["k1=0", "k1=1", "k1=2", "k2=0", "k2=1", "k2=2", "c1", "c2"]
    assert run.method.column_names(run.facts) == names
    strips = traversals(run, encoding, [7, 4, 6, 3])
    assert [strip.name for strip in strips] == ["k1", "k2", "c2", "c1"]
    assert strips[1].values == ["0", "1", "2"]
    assert strips[2].values[0] == "-2"
    codes = np.tile(nearest_the_centre(encoding), (3, 1))
    codes[:, 3:6] = np.eye(3)
    np.testing.assert_array_equal(strips[1].images, run.decode(codes))


def test_methods_without_a_decoder_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, encoding = made(tmp_path, "vae")
    monkeypatch.setattr(type(run.method), "decode", Method.decode)
    with pytest.raises(BadInput, match="has no decoder"):
        traversals(run, encoding, [0])


def test_of_many_latents_the_first_twenty_are_shown(tmp_path: Path) -> None:
    run, encoding = made(tmp_path, "pca", latents=30, images=60)
    strips = traversals(run, encoding, range(29, -1, -1))
    assert [strip.columns for strip in strips] == [[j] for j in range(29, 9, -1)]
