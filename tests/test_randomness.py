"""Derived seeds: the same for the same purpose, and no two that meet."""

import itertools
from pathlib import Path

import numpy as np

import distaff
from distaff.evaluation.encode import encode_run
from distaff.randomness import derived


def test_a_seed_depends_on_seed_purpose_and_number() -> None:
    assert derived(3, "half", 2) == derived(3, "half", 2)
    cases = itertools.product(range(20), ("half", "chance", "encoding"), range(20))
    seeds = [derived(*case) for case in cases]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_the_seeds_are_what_they_were() -> None:
    """Changing one changes what everybody has recorded."""
    assert [derived(0, "encoding", n) for n in range(2)] == [1197783946, 48609341]
    assert derived(2**40, "half") == 4119678123


def test_chunks_of_an_encoding_share_no_noise_with_those_of_other_seeds(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("distaff.evaluation.encode.ENCODE_BATCH", 50)
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=1, scale=2)
    run = distaff.train("vae", data, steps=1, out=tmp_path / "run", threads=1, show=False)
    noises = []
    for seed in (0, 1):
        found = encode_run(run, None, seed, show=False)
        noise = (found.sample - found.mean) / np.exp(found.logvar / 2)
        noises += [noise[:40], noise[50:90]]
    for first, second in itertools.combinations(noises, 2):
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.3
