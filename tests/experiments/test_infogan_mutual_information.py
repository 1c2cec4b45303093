"""What the experiment measures, on images and codes where the answer is known."""

import numpy as np
import pytest
from msgspec import structs

from distaff.experiments.infogan_mutual_information import (
    InfoGANMutualInformation,
    Made,
    recovery,
    two_sample_accuracy,
    variety,
)


def test_two_samples_that_lie_apart_and_two_that_alternate() -> None:
    line = np.arange(40.0).reshape(40, 1, 1, 1)
    assert two_sample_accuracy(line[:20], line[20:] + 100) == 1
    assert two_sample_accuracy(line[::2], line[1::2]) == 0


def test_two_samples_of_one_kind_are_told_apart_by_chance() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 400, 1, 4, 4))
    assert two_sample_accuracy(real, fake) == pytest.approx(0.5, abs=0.06)


def test_recovery_is_the_correlation_of_the_last_columns() -> None:
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(30, 5))
    read = np.concatenate(
        [rng.normal(size=(30, 3)), -2 * codes[:, 3:4] + 1, rng.normal(size=(30, 1))], axis=1
    )
    found = recovery(Made(np.zeros(0), codes, read), 2)
    given, said = codes[:, 4] - codes[:, 4].mean(), read[:, 4] - read[:, 4].mean()
    expected = abs((given * said).sum()) / np.sqrt((given**2).sum() * (said**2).sum())
    assert found == pytest.approx([1, expected])


def test_variety_is_the_mean_distance_of_pairs() -> None:
    assert variety(np.array([0.0, 3.0, 9.0]).reshape(3, 1, 1, 1)) == pytest.approx((3 + 9 + 6) / 3)


def test_digits_of_a_file_take_the_place_of_those_of_the_package() -> None:
    found = InfoGANMutualInformation()
    scale = structs.replace(found.at("nano"), digits="train-images-idx3-ubyte", options={"resolution": 16})
    planned, usual = found.runs(scale), found.runs(found.at("nano"))
    assert {(run["dataset"], run["data.resolution"]) for run in planned} == {("train-images-idx3-ubyte", 16)}
    own = ("dataset", "data.resolution")
    assert [{key: run[key] for key in run if key not in own} for run in planned] == [
        {key: run[key] for key in run if key not in own} for run in usual
    ]
