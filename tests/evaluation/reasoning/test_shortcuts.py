"""Rules of thumb against plain loops, and what they find in matrices made by hand."""

from collections import Counter

import numpy as np
import pytest

from distaff.evaluation.reasoning.matrices import Matrices
from distaff.evaluation.reasoning.shortcuts import shortcuts
from distaff.factors import FactorSpace

SPACE = FactorSpace(("a", "b", "c", "d", "e"), (5, 5, 4, 3, 3))


def plain(matrices: Matrices, count: int, seed: int) -> dict[str, float]:
    """The same shares, one matrix, one answer and one factor at a time."""
    drawn, hits = matrices.draw(count, seed), Counter()
    for context, answers, right in zip(
        drawn.context.tolist(), drawn.answers.tolist(), drawn.right, strict=True
    ):
        alike = [sum(a == b for other in answers for a, b in zip(one, other, strict=True)) for one in answers]
        row = context[6:8]
        fits = [sum(one[j] == row[0][j] == row[1][j] for j in range(len(one))) for one in answers]
        for name, merit in (
            ("the answer most like the others", alike),
            ("the answer least like the others", [-each for each in alike]),
            ("the third row alone", fits),
        ):
            best = [place for place, each in enumerate(merit) if each == max(merit)]
            hits[name] += (right in best) / len(best)
    return {name: total / count for name, total in hits.items()}


@pytest.mark.parametrize("kind", ["easy", "hard"])
def test_shares_are_those_of_plain_loops(kind: str) -> None:
    matrices = Matrices(SPACE, kind)
    found = shortcuts(matrices, 300, 100)
    assert found == pytest.approx(plain(matrices, 300, 100), abs=1e-12)


def test_hard_answers_give_the_right_one_away_and_the_third_row_tells_most() -> None:
    """What is known of such matrices: the right answer is in the middle of its edits."""
    hard, easy = (shortcuts(Matrices(SPACE, kind, (3,)), 2000, 100) for kind in ("hard", "easy"))
    error = np.sqrt(0.25 / 2000)
    assert hard["the answer most like the others"] > 0.4 + 4 * error
    assert easy["the answer most like the others"] < 0.25
    assert easy["the third row alone"] > hard["the third row alone"] > 0.5 + 4 * error
