"""Health checks: each finds what it is for, and nothing on codes that are well."""

import re

import numpy as np
import pytest

import distaff
from distaff.metrics.health import CHECKS
from distaff.metrics.score_card import ScoreCard

FAST = ["beta_vae_score", "factor_vae_score", "mig"]


def world(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=n) for size in (3, 5, 8)], axis=1)
    return factors / factors.std(axis=0) + 0.1 * rng.standard_normal(factors.shape), factors


def found(codes: np.ndarray, factors: np.ndarray, **settings: object) -> list[str]:
    card = distaff.score(codes, factors, metrics=FAST, names=["shape", "size", "hue"], **settings)
    assert all(finding.message in str(card) for finding in card.health)
    assert ScoreCard.from_dict(card.to_dict()) == card
    return [f"{finding.code} {finding.message}" for finding in card.health]


def test_nothing_is_found_on_good_codes() -> None:
    codes, factors = world()
    assert found(codes, factors, logvar=np.full(codes.shape, -4.0)) == []


def test_each_check_finds_what_it_is_for() -> None:
    codes, factors = world()
    noise = np.random.default_rng(1).standard_normal(codes.shape)
    collapsed = np.zeros(codes.shape)
    collapsed[:, 0] = -4
    cases = {
        "H01": (found(codes, factors, logvar=collapsed), "1 active latents for 3 factors"),
        "H02": (found(np.c_[codes, np.ones(len(codes))], factors), "1 of 4 codes are constant: 3"),
        "H03": (found(np.c_[codes, -2 * codes[:, 1]], factors), "codes 1 and 3 are copies"),
        "H04": (found(codes[:60], factors[:60]), "factor hue has 8 values in 60 rows"),
        "H05": (found(noise, factors), "not to be told from noise: beta_vae_score, factor_vae_score, mig"),
        "H06": (found(codes[:, :2], factors, values_only=True), "no code knows of hue, .*: beta_vae_score"),
        "H07": (found(0.01 * codes, factors), "factor_vae_score leaves out codes 0, 1, 2"),
        "H08": (found(np.c_[codes, noise][:6], factors[:6]), "6 codes for 6 rows"),
    }
    assert cases.keys() == CHECKS.keys(), "a check without a test"
    for code, (findings, message) in cases.items():
        assert any(re.search(f"{code} .*{message}", finding) for finding in findings), findings


@pytest.mark.parametrize("code", CHECKS)
def test_codes_are_stable_words(code: str) -> None:
    assert code[0] == "H"
    assert len(code) == 3
    assert CHECKS[code].split(":")[0]
