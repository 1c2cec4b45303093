"""Patterns that move with a number per image, and noise of equal size."""

import json
from pathlib import Path

import numpy as np
import pytest

from distaff.datasets import ArrayImages, Perturbed, Subset, UniformNoise, load_dataset, save_perturbed
from distaff.datasets.views.perturbed import Copies
from distaff.errors import BadInput
from distaff.testing import check_dataset

SMALL = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}
DATA = load_dataset("dsprites", **SMALL)
S = np.random.default_rng(0).uniform(-2, 2, len(DATA))
EVERY = np.arange(len(DATA))


def slowness(data: Perturbed, column: int, s: np.ndarray) -> list[int]:
    """Which c in 1..4 put the pixels of a column, at every s, in the rows of the definition.

    The rows of the column are what its first pixel shows as s moves it on by one row each time.
    """
    found = data.pattern(s)[:, :, column]
    moved = {c: np.rint(data.kappa * s / c).astype(int) for c in (1, 2, 3, 4)}
    fitting = []
    for c, by in moved.items():
        numbers = np.arange(by.min(), by.max() + found.shape[1])
        rows = data.pattern(numbers * c / data.kappa)[:, 0, column]
        expected = rows[by[:, None] + np.arange(found.shape[1]) - numbers[0]]
        fitting += [c] * np.array_equal(found, expected)
    return fitting


@pytest.mark.parametrize("kappa", [7.0, 12.0])
def test_every_pixel_of_the_pattern_is_where_the_definition_puts_it(kappa: float) -> None:
    data = Perturbed(DATA, S, kappa=kappa)
    fitting = [slowness(data, column, S[:50]) for column in range(16)]
    assert all(len(each) == 1 for each in fitting), "every column moves by a slowness of its own"
    assert {c for (c,) in fitting} == {1, 2, 3, 4}
    pattern = data.pattern(S[:50])
    assert set(np.unique(pattern)) == {-1, 1}
    assert abs(pattern.mean()) < 0.2


@pytest.mark.parametrize(("kappa", "least"), [(1.0, 5), (10.0, 60), (20.0, 110)])
def test_kappa_says_how_many_patterns_there_are(kappa: float, least: int) -> None:
    drawn = np.random.default_rng(1).uniform(-2, 2, 400)
    patterns = Perturbed(DATA, S, kappa=kappa).pattern(drawn).reshape(400, -1)
    assert least <= len(np.unique(patterns, axis=0)) <= 5 * least


@pytest.mark.parametrize("make", [lambda **o: Perturbed(DATA, S, **o), lambda **o: UniformNoise(DATA, **o)])
@pytest.mark.parametrize("eps", [0.1, 0.3, 1e-3])
@pytest.mark.parametrize("clip", [False, True])
def test_no_pixel_moves_further_than_eps_and_the_factors_stay(make, eps: float, clip: bool) -> None:
    data = make(eps=eps, clip=clip)
    check_dataset(data)
    moved = np.abs(data.images(EVERY).astype(np.float64) - DATA.unit_images(EVERY))
    assert 0.9 * eps < moved.max() <= eps
    assert np.array_equal(data.labels(EVERY), DATA.labels(EVERY))
    assert data.factors == DATA.factors
    assert data.pixel_range == ((0, 1) if clip else (-eps, 1 + eps))


def test_noise_is_uniform_and_the_same_at_every_look() -> None:
    data = UniformNoise(DATA, eps=0.1)
    noise = data.added(EVERY)
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.var() == pytest.approx(1 / 3, rel=0.02)
    assert np.array_equal(data.images(EVERY[5:9]), data.images(EVERY)[5:9])


@pytest.mark.parametrize("kind", ["pattern", "noise"])
def test_it_is_kept_as_a_data_set(kind: str, tmp_path: Path) -> None:
    made = (
        Perturbed(DATA, S, eps=0.2, kappa=3.0, seed=4) if kind == "pattern" else UniformNoise(DATA, eps=0.2)
    )
    save_perturbed(made, tmp_path / "made.npz")
    again = load_dataset(tmp_path / "made.npz")
    assert np.array_equal(again.images(EVERY), made.images(EVERY))
    made.name = "made"
    assert again.fingerprint() == made.fingerprint()
    assert load_dataset(tmp_path / "made.npz", x=[1, 2]).factors.sizes[-2:] == (2, 8)


def test_your_own_images_are_kept_too(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(30, 16, 20, 3), dtype=np.uint8)
    factors = np.stack([np.arange(30) // 6, np.arange(30) % 6], axis=1)
    pairs = np.array([[0, 1], [3, 9]])
    np.savez(tmp_path / "own.npz", images=images, factors=factors, factor_names=["a", "b"], pairs=pairs)
    own, every = load_dataset(tmp_path / "own.npz"), np.arange(30)
    made = Perturbed(own, np.linspace(-2, 2, 30), eps=0.2)
    save_perturbed(made, tmp_path / "made.npz")
    again = load_dataset(tmp_path / "made.npz")
    check_dataset(again)
    assert again.name == "made"
    assert "kappa 10" in again.note
    assert np.array_equal(again.images(every), made.images(every))
    assert np.array_equal(again.labels(every), factors)
    assert np.array_equal(again.pairs, pairs)
    assert (again.label_names, again.factors) == (own.label_names, own.factors)
    assert again.pixel_range == (-0.2, 1.2)
    unlabelled = UniformNoise(ArrayImages(images / 510), eps=0.1)
    save_perturbed(unlabelled, tmp_path / "bare.npz")
    again = load_dataset(tmp_path / "bare.npz")
    assert again.labels(every) is None
    assert np.array_equal(again.images(every), unlabelled.images(every))


def test_nothing_but_a_perturbed_data_set_is_replaced(tmp_path: Path) -> None:
    made, path = UniformNoise(DATA, eps=0.2), tmp_path / "made.npz"
    np.savez(path, images=np.zeros((4, 16, 16)))
    before = path.read_bytes()
    with pytest.raises(BadInput, match="is there already"):
        save_perturbed(made, path)
    assert path.read_bytes() == before
    path.unlink()
    save_perturbed(made, path)
    save_perturbed(UniformNoise(DATA, eps=0.1), path)
    assert load_dataset(path).pixel_range == (-0.1, 1.1)


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"s must be .* numbers, one for every image"):
        Perturbed(DATA, S[:-1])
    with pytest.raises(BadInput, match="not finite"):
        Perturbed(DATA, np.full(len(DATA), np.nan))
    with pytest.raises(BadInput, match="would not move"):
        Perturbed(DATA, 0.01 * S / np.ptp(S))
    for eps in (0.0, -1.0, 1.01, float("nan"), "much"):
        with pytest.raises(BadInput, match=r"eps=.* is not allowed"):
            Perturbed(DATA, S, eps=eps)
    recipe = {"base": {"name": "/etc/passwd", "options": {}}, "settings": {"clip": False}}
    for text in (json.dumps(recipe), "not JSON", "{}"):
        np.savez(tmp_path / "bad.npz", perturbation=np.frombuffer(text.encode(), np.uint8))
        with pytest.raises(BadInput):
            load_dataset(tmp_path / "bad.npz")


def test_the_command_takes_the_surest_latent_of_the_worst_run(tmp_path: Path, capsys) -> None:
    import distaff
    from distaff.evaluation.least_noisy import least_noisy
    from distaff.metrics.mig import mig

    runs = [
        distaff.train(
            "beta_vae", DATA, steps=30, seed=seed, latents=3, out=tmp_path / f"s{seed}", threads=1, show=False
        )
        for seed in (0, 1)
    ]
    found = least_noisy(runs)
    codes = [run.encode(DATA.images(EVERY)) for run in runs]
    worst = int(np.argmin([mig(each.mean, DATA.labels(EVERY)) for each in codes]))
    assert found.run is runs[worst]
    assert found.latent == np.exp(codes[worst].logvar).mean(axis=0).argmin()
    assert np.allclose(found.codes, codes[worst].mean[:, found.latent], atol=1e-6)


def test_the_option_makes_what_is_made_by_hand(tmp_path: Path) -> None:
    x, y = DATA.labels(EVERY)[:, -2:].T
    diagonal = ((x - x.mean()) / x.std() + (y - y.mean()) / y.std()) / 2**0.5
    assert np.var(diagonal) == pytest.approx(1)
    np.save(tmp_path / "s.npy", S)
    twice = Subset(DATA, np.tile(EVERY, 2))
    drawn = np.random.default_rng(0).uniform(-(3**0.5), 3**0.5, 2 * len(DATA))
    settings = {"eps": 0.2, "kappa": 5.0}
    for option, expected in (
        ({"by": "diagonal", **settings}, Perturbed(DATA, diagonal, **settings)),
        ({"by": str(tmp_path / "s.npy"), **settings}, Perturbed(DATA, S, **settings)),
        ({"by": "uniform", "copies": 2, **settings}, Perturbed(twice, drawn, **settings)),
        ({"by": "noise", "eps": 0.2, "seed": 3}, UniformNoise(DATA, eps=0.2, seed=3)),
    ):
        found = load_dataset("dsprites", **SMALL, perturb=option)
        every = np.arange(len(expected))
        np.testing.assert_array_equal(found.images(every), expected.images(every))
        np.testing.assert_array_equal(found.labels(every), expected.labels(every))
        indices = (data.draw(500, np.random.default_rng(1)) for data in (found, expected))
        np.testing.assert_array_equal(*indices)
        check_dataset(found)


@pytest.mark.parametrize(
    ("other", "among"),
    [
        ({}, 64),
        ({"held_out": {"x": 0, "y": [0, 1]}}, 62),
        ({"correlate": {"factors": ["x", "y"], "sigma": 0.05}}, 8),  # hardly any off the diagonal
    ],
)
def test_every_copy_is_drawn_as_often(other: dict[str, object], among: int) -> None:
    grid = SMALL | {"shape": 1, "scale": 1}
    data = load_dataset("dsprites", **grid, perturb={"by": "uniform", "copies": 4}, **other)
    assert len(data) == 4 * len(load_dataset("dsprites", **grid, **other))
    copy, base = np.divmod(data.draw(4000, np.random.default_rng(0)), len(data) // 4)
    assert np.bincount(copy) == pytest.approx(np.full(4, 1000), abs=4 * 27)  # deviations
    assert np.sum(np.bincount(base) > 4000 / among / 4) == among
    images = np.arange(24).reshape(6, 2, 2).astype(np.uint8) * 10
    own = Copies(ArrayImages(images, pairs=[[0, 1], [4, 5]]), 3)
    assert own.pairs.tolist() == [[0, 1], [4, 5], [6, 7], [10, 11], [12, 13], [16, 17]]
    with pytest.raises(BadInput, match="they would be over 100,000,000 images"):
        Copies(DATA, 10**8)


def test_a_table_is_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "s.npy", S)
    monkeypatch.chdir(tmp_path)
    data = load_dataset("dsprites", **SMALL, perturb={"by": "s.npy"})
    assert data.spec["options"]["perturb"] == {"by": str(tmp_path / "s.npy")}
    by_name = load_dataset("dsprites", **SMALL, perturb={"by": "diagonal"})
    assert by_name.spec["options"]["perturb"] == {"by": "diagonal"}


def test_what_such_a_file_does_not_keep_is_an_error(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(256, size=(16, 16, 16))
    np.savez(tmp_path / "own.npz", images=images, factors=np.stack(np.divmod(np.arange(16), 4), axis=1))
    for option in ({"correlate": {"factors": ["factor_0", "factor_1"], "sigma": 1}}, {"hide": ["factor_0"]}):
        data = UniformNoise(load_dataset(tmp_path / "own.npz", **option))
        with pytest.raises(BadInput, match="correlate and hide of your own images are not kept"):
            save_perturbed(data, tmp_path / "p.npz")
    save_perturbed(load_dataset(tmp_path / "own.npz", perturb={"by": "noise"}), tmp_path / "p.npz")
    assert load_dataset(tmp_path / "p.npz", **option).label_names == ("factor_1",)


@pytest.mark.parametrize(
    ("base", "settings"),
    [
        (None, {"eps": 0.1, "clip": False, "seed": 0, "kappa": 2.0}),
        ({"name": "dsprites", "options": {"data_dir": "/"}}, {"clip": False}),
        ({"name": "dsprites", "options": {"perturb": {"by": "/etc/passwd"}}}, {"clip": False}),
        ({"name": "dsprites", "options": {"perturb": 3}}, {"clip": False}),
    ],
)
def test_a_recipe_that_cannot_be(tmp_path: Path, base: object, settings: object) -> None:
    recipe = json.dumps({"base": base, "settings": settings}).encode()
    np.savez(tmp_path / "p.npz", perturbation=np.frombuffer(recipe, np.uint8))
    with pytest.raises(BadInput, match="is damaged: it does not say how it was perturbed"):
        load_dataset(tmp_path / "p.npz")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({}, "perturb must say by what: diagonal, uniform, noise or a table, got by=None"),
        ({"by": "noise", "kappa": 1.0}, "unknown part of perturb 'kappa'"),
        ({"by": "diagonal", "kapa": 1.0}, "unknown part of perturb 'kapa'; did you mean 'kappa'"),
        ({"by": "uniform", "copies": 0}, "copies=0 is not allowed"),
        ({"by": "nowhere.npy"}, "nowhere.npy"),
        ({"by": "uniform", "clip": "no"}, "clip='no' is not allowed; it must be true or false"),
        ({"by": "diagonal", "copies": 2}, "copies need a number of their own"),
    ],
)
def test_bad_options(option: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load_dataset("dsprites", **SMALL, perturb=option)


def test_a_label_of_one_value_moves_no_pattern() -> None:
    held = {"x": list(range(1, 8))}
    with pytest.raises(BadInput, match="the label 'x' has a single value"):
        load_dataset("dsprites", **SMALL, held_out=held, perturb={"by": "diagonal"})
