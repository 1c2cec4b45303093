"""Features that are coordinates, and those that are not, made by hand; selectivity against loops."""

import numpy as np
import pandas as pd
import pytest

from distaff.experiments.controllable_factors import (
    Learned,
    coordinate,
    of_coordinates,
    of_features,
    planes,
    selectivities,
)
from distaff.factors import FactorSpace

SPACE = FactorSpace(("x", "y"), (5, 5))
ROWS = SPACE.rows(np.arange(25)) / 4 * 2.0 - 1
X, Y = ROWS.T
#: down and up by one in x, then in y
LEFT, RIGHT, UP, DOWN = np.eye(4)


def learned(features, policies) -> Learned:
    """Features, and policies that are the same everywhere."""
    return Learned(SPACE, np.column_stack(features), np.tile(np.array(policies), (25, 1, 1)))


IDEAL = learned([X, -X, Y, -Y], [RIGHT, LEFT, DOWN, UP])


def test_four_coordinates_with_their_actions_are_found() -> None:
    found = pd.DataFrame(of_features(IDEAL))
    assert found["is"].tolist() == ["x", "x", "y", "y"]
    assert found["action"].tolist() == [1, 0, 3, 2]
    assert found["selectivity"].tolist() == pytest.approx([1, 1, 1, 1])
    assert of_coordinates(found) == {"features": 4, "coordinates": 2, "actions": 4, "sure": 1.0} | {
        "selectivity": pytest.approx(1)
    }


def test_what_is_turned_bent_or_undecided_is_seen() -> None:
    half = 0.5 * (LEFT + RIGHT)
    found = pd.DataFrame(of_features(learned([X, X + Y, np.sign(X), X], [RIGHT, RIGHT, LEFT, half])))
    assert found["is"].tolist() == ["x", "", "", "x"]
    together = of_coordinates(found)
    assert together.pop("selectivity") == pytest.approx(found["selectivity"].mean())
    assert together == {"features": 2, "coordinates": 1, "actions": 2, "sure": 0.5}
    nothing = pd.DataFrame(of_features(learned([0 * X] * 4, [RIGHT] * 4)))
    assert set(of_coordinates(nothing).values()) == {0}


def test_a_coordinate_is_along_one_and_across_the_other() -> None:
    assert coordinate(np.array([0.95, 0.15]), ("x", "y")) == "x"
    assert coordinate(np.array([0.1, 0.97]), ("x", "y")) == "y"
    assert coordinate(np.array([0.949, 0.0]), ("x", "y")) == ""
    assert coordinate(np.array([0.99, 0.16]), ("x", "y")) == ""


def test_selectivity_is_that_of_loops() -> None:
    rng = np.random.default_rng(0)
    features, policies = rng.standard_normal((25, 3)), rng.dirichlet(np.ones(4), size=(25, 3))
    expected = np.zeros(3)
    for k in range(3):
        shares, weights = [], []
        for x in range(5):
            for y in range(5):
                for action, (right, down) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
                    if not (0 <= x + right < 5 and 0 <= y + down < 5):
                        continue
                    changes = features[5 * (x + right) + y + down] - features[5 * x + y]
                    risen = sum(change for change in changes if change > 0)
                    shares.append(max(changes[k], 0) / risen if risen else 0)
                    weights.append(policies[5 * x + y, k, action])
        expected[k] = np.average(shares, weights=weights)
    assert selectivities(Learned(SPACE, features, policies)) == pytest.approx(expected, abs=1e-12)


def test_the_picture_has_a_map_for_every_feature_of_every_seed() -> None:
    figure = planes([IDEAL, IDEAL, IDEAL])
    assert len(figure.axes) == 12
    (shown,) = figure.axes[0].images
    np.testing.assert_allclose(shown.get_array()[0], X.reshape(5, 5)[:, 0])  # x runs to the right
    arrows = figure.axes[0].collections[0]
    assert set(arrows.U.tolist()) == {1.0}
    assert set(figure.axes[2].collections[0].V.tolist()) == {1.0}  # towards larger y
