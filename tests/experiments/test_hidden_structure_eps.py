"""What figure 4 shows of the factors, against sums over the whole grid."""

import itertools

import numpy as np
import pandas as pd
import pytest

from distaff.datasets import Perturbed, load_dataset
from distaff.experiments.hidden_structure_eps import GLOBAL, LOCAL, in_the_data, information, leading
from distaff.methods.base import Codes

GRID = load_dataset("dsprites", resolution=16, shape=[0, 1], orientation=1, scale=3, x=5, y=4)
SIZES = {"shape": 2, "scale": 3, "x": 5, "y": 4}


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, float]]:
    s = np.random.default_rng(0).uniform(-(3**0.5), 3**0.5, len(GRID))
    return {row["factor"]: row for row in in_the_data(GRID, Perturbed(GRID, s, eps=0.1, kappa=4.0))}


@pytest.mark.parametrize("name", ["scale", "x", "y"])
def test_factors_are_those_of_the_whole_grid(found, name: str) -> None:
    labels = [dict(zip(GRID.label_names, row, strict=True)) for row in GRID.labels(np.arange(len(GRID)))]
    images = GRID.unit_images(np.arange(len(GRID)))
    by_label = {tuple(row.values()): image for row, image in zip(labels, images, strict=True)}
    step = 1 / np.std(range(SIZES[name]))
    apart = []
    for row, image in zip(labels, images, strict=True):
        if row[name] + 1 < SIZES[name]:
            there = by_label[tuple((row | {name: row[name] + 1}).values())]
            apart.append(np.sqrt(((there - image) ** 2).sum()) / step)
    assert found[name][LOCAL] == pytest.approx(np.mean(apart), rel=0.05)
    assert found[name][f"{LOCAL}, least"] == pytest.approx(min(apart))
    means = [
        np.mean([image for row, image in zip(labels, images, strict=True) if row[name] == v], axis=0)
        for v in range(SIZES[name])
    ]
    pairs = itertools.product(means, means)  # a variance is half the mean squared distance of pairs
    variance = np.mean([((one - other) ** 2).sum() for one, other in pairs]) / 2
    assert found[name][GLOBAL] == pytest.approx(variance, rel=0.15)


def test_the_pattern_is_judged_over_a_step_as_large_as_one_of_x(found) -> None:
    pattern = Perturbed(GRID, np.linspace(-1, 1, len(GRID)), eps=0.1, kappa=4.0).pattern
    drawn = np.random.default_rng(5).uniform(-(3**0.5), 3**0.5, 4000)
    step = 1 / 2**0.5  # of the numbers 0 to 4
    changed = (pattern(drawn) != pattern(drawn + step)).sum(axis=(1, 2))  # each by 2 eps
    assert found["s"][LOCAL] == pytest.approx(np.mean(0.2 * np.sqrt(changed)) / step, rel=0.03)
    variance = (0.1 * pattern(drawn)).var(axis=0).sum()
    assert found["s"][GLOBAL] == pytest.approx(variance, rel=0.03)


def test_a_seed_counts_where_it_codes_s_first() -> None:
    in_data = pd.DataFrame(
        [
            {"eps": eps, "factor": factor, LOCAL: local, GLOBAL: whole}
            for eps, of_s in ((0.1, (1.0, 0.0)), (0.2, (3.0, 1.0)), (0.3, (4.0, 5.0)))
            for factor, (local, whole) in {"s": of_s, "x": (2.0, 2.0), "y": (0.0, 0.0)}.items()
        ]
    )
    informed = {0.1: [0.1, 0.9], 0.2: [0.9, 0.1], 0.3: [0.9, 0.9]}  # of s, by eps and seed
    in_code = pd.DataFrame(
        [
            {"eps": eps, "seed": seed, "x": 0.5, "y": 0.4, "s": value}
            for eps, values in informed.items()
            for seed, value in enumerate(values)
        ]
    )
    lower, between = leading(in_data, in_code)
    assert lower.tolist() == [False, True]  # at .1, where x is larger locally
    assert between.tolist() == [True, False]  # at .2, where s is, and x globally; .3 does not count


def test_a_latent_stands_for_a_factor_that_it_correlates_with_and_for_no_other() -> None:
    rng = np.random.default_rng(0)
    labels = GRID.labels(np.arange(len(GRID))).astype(float)
    perturbed = Perturbed(GRID, rng.uniform(-1, 1, len(GRID)), eps=0.1, kappa=4.0)
    noise = rng.normal(size=(len(GRID), 1))
    mean = np.column_stack([-labels[:, [2, 3, 1, 0]], noise])  # x, y, scale, shape, and nothing for s
    logvar = np.log(np.broadcast_to([0.1, 0.2, 0.3, 1.5, 0.4], mean.shape))
    found = {row["factor"]: row for row in information(Codes(mean, logvar, mean), labels, perturbed)}
    told = {name: row["information"] for name, row in found.items()}
    assert told == pytest.approx({"shape": 0.0, "scale": 0.7, "x": 0.9, "y": 0.8, "s": 0.0})
    assert found["x"]["|correlation|"] == pytest.approx(1)
    assert found["s"]["|correlation|"] < 0.5  # the surest of latents would not make it .6
    of_s = np.column_stack([mean[:, :4], perturbed.s])
    told = {row["factor"]: row for row in information(Codes(of_s, logvar, of_s), labels, perturbed)}
    assert told["s"]["information"] == pytest.approx(0.6)
