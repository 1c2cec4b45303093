"""Interchange interventions by loops, and at the ends: nothing swapped, all swapped."""

import doctest

import numpy as np
import pytest

from distaff.errors import BadInput
from distaff.metrics import interchange
from distaff.testing import SPACE

BASE, SOURCE = SPACE.sample(800, 0), SPACE.sample(800, 1)
MIXING = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
ALONE = [[0], [1], [2], [3]]


def test_codes_that_are_factors_swap_them_alone() -> None:
    found = interchange(BASE, SOURCE, BASE, SOURCE, lambda codes: codes, ALONE)
    assert found[:3] == (1, 1, 1)
    assert (found.causes == 1).all()
    assert (found.isolations == 1).all()


@pytest.mark.parametrize("parts", [ALONE, [[0, 1], [2], [], [3]]])
def test_mixed_codes_by_loops(parts: list[list[int]]) -> None:
    base, source = BASE @ MIXING, SOURCE @ MIXING

    def read(codes: np.ndarray) -> np.ndarray:
        return np.clip(np.round(codes @ MIXING.T), 0, np.array([3, 5, 8, 15]))

    found = interchange(base, source, BASE, SOURCE, read, parts)
    for j, part in enumerate(parts):
        hits, kept = [], [[] for _ in range(4)]
        for row in range(800):
            swapped = [source[row, i] if i in part else base[row, i] for i in range(4)]
            seen = read(np.array([swapped]))[0]
            if BASE[row, j] != SOURCE[row, j]:
                hits.append(seen[j] == SOURCE[row, j])
            for other in range(4):
                kept[other].append(seen[other] == BASE[row, other])
        assert found.causes[j] == pytest.approx(np.mean(hits))
        assert found.isolations[j] == pytest.approx(np.mean([np.mean(kept[o]) for o in range(4) if o != j]))
    assert found.disentangle == pytest.approx((found.cause + found.isolation) / 2)


def test_nothing_and_everything() -> None:
    nothing = interchange(BASE, SOURCE, BASE, SOURCE, lambda codes: codes, [[]] * 4)
    assert (nothing.cause, nothing.isolation) == (0, 1)
    everything = interchange(BASE, SOURCE, BASE, SOURCE, lambda codes: codes, [[0, 1, 2, 3]] * 4)
    assert everything.cause == 1
    chance = np.mean([np.mean(BASE[:, j] == SOURCE[:, j]) for j in range(4)])
    assert everything.isolation == pytest.approx(chance)
    one = interchange(BASE[:, :1], SOURCE[:, :1], BASE[:, :1], SOURCE[:, :1], lambda codes: codes, [[0]])
    assert one.cause == 1
    assert np.isnan(one.isolation)


def test_wrong_input() -> None:
    given = {"base": BASE, "source": SOURCE, "factors_base": BASE, "factors_source": SOURCE}
    given |= {"read": lambda codes: codes, "parts": ALONE}
    for changed, message in (
        ({"parts": ALONE[:3]}, "parts has 3 lists of columns for 4 factors"),
        ({"parts": [[0], [1], [2], [4]]}, r"parts\[3\] names column 4; codes have columns 0 to 3"),
        ({"parts": [[0], [1], [2], ["d"]]}, r"parts\[3\] names column 'd'"),
        ({"read": lambda codes: codes[:, :2]}, r"read gives an array of shape \(800, 2\); it must be"),
        ({"source": SOURCE[:, :3]}, "rows are paired"),
        ({"factors_source": SOURCE[:9]}, "codes have 800 rows and factors 9"),
        ({"source": BASE, "factors_source": BASE}, "factor 0 is the same in all pairs"),
    ):
        with pytest.raises(BadInput, match=message):
            interchange(**(given | changed))


def test_the_example() -> None:
    (found,) = doctest.DocTestFinder(recurse=False).find(interchange, globs={"interchange": interchange})
    assert not doctest.DocTestRunner().run(found).failed
