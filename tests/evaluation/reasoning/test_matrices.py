"""Matrices have one right answer each, which a checker of factor values and rules alone finds."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from distaff.errors import BadInput
from distaff.evaluation.reasoning.matrices import ANSWERS, Drawn, Matrices
from distaff.factors import FactorSpace

SPACE = FactorSpace(("a", "b", "c", "d", "e"), (5, 4, 3, 3, 2))
SMALLEST = FactorSpace(("a", "b", "c", "d"), (2, 2, 2, 2))
WITH_ONE_VALUE = FactorSpace(("a", "still", "b", "c", "d"), (3, 1, 3, 3, 3))
SPACES = (SPACE, SMALLEST, WITH_ONE_VALUE)


def rules_seen(context: Sequence[Sequence[int]]) -> set[int]:
    """The factors that are constant in each of the first two rows of eight panels."""
    first, second = context[:3], context[3:6]
    return {
        j
        for j in range(len(context[0]))
        if all(len({panel[j] for panel in row}) == 1 for row in (first, second))
    }


def right_by_the_rules(context: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> list[int]:
    """The places of the answers with which the third row keeps every rule."""
    rules = rules_seen(context)
    return [
        place
        for place, answer in enumerate(answers)
        if all(len({context[6][j], context[7][j], answer[j]}) == 1 for j in rules)
    ]


def each(drawn: Drawn) -> list[tuple[list[list[int]], list[list[int]], int, set[int]]]:
    ruled = [set(np.flatnonzero(row).tolist()) for row in drawn.ruled]
    return list(zip(drawn.context.tolist(), drawn.answers.tolist(), drawn.right.tolist(), ruled, strict=True))


@pytest.mark.parametrize("kind", ["easy", "hard"])
@pytest.mark.parametrize("space", SPACES, ids=lambda space: "x".join(map(str, space.sizes)))
def test_the_rules_alone_tell_the_one_right_answer(space: FactorSpace, kind: str) -> None:
    rules = (1, 2, 3) if kind == "easy" or space is not SMALLEST else (1, 2)
    drawn = Matrices(space, kind, rules).draw(2000, 100)
    space.check(drawn.context.reshape(-1, len(space.sizes)))
    space.check(drawn.answers.reshape(-1, len(space.sizes)))
    single = {j for j, size in enumerate(space.sizes) if size == 1}
    counts = dict.fromkeys(rules, 0)
    for context, answers, right, ruled in each(drawn):
        assert right_by_the_rules(context, answers) == [right]
        assert rules_seen(context) == ruled | single
        assert len({tuple(answer) for answer in answers}) == ANSWERS, "two answers are the same"
        counts[len(ruled)] += 1
    shares = np.array(list(counts.values())) / 2000
    assert np.abs(shares - 1 / len(rules)).max() < 4 * np.sqrt(0.25 / 2000), "each number of rules as often"


@pytest.mark.parametrize("kind", ["easy", "hard"])
def test_the_right_answer_is_anywhere_and_every_factor_is_ruled_as_often(kind: str) -> None:
    drawn = Matrices(SPACE, kind).draw(6000, 101)
    places = np.bincount(drawn.right, minlength=ANSWERS) / 6000
    assert np.abs(places - 1 / ANSWERS).max() < 4 * np.sqrt(5 / 36 / 6000)
    assert np.abs(drawn.ruled.mean(axis=0) - 2 / 5).max() < 4 * np.sqrt(0.24 / 6000)


def broken(drawn: Drawn) -> np.ndarray:
    """How many rules each wrong answer breaks (n, 5)."""
    right = np.take_along_axis(drawn.answers, drawn.right[:, None, None], axis=1)
    counts = ((drawn.answers != right) & drawn.ruled[:, None]).sum(axis=2)
    wrong = np.arange(ANSWERS) != drawn.right[:, None]
    return counts[wrong].reshape(-1, ANSWERS - 1)


def test_hard_answers_are_hard() -> None:
    """The published generator makes easy ones of both kinds: the choice does not reach it."""
    hard, easy = (broken(Matrices(SPACE, kind, (3,)).draw(1000, 100)) for kind in ("hard", "easy"))
    assert (hard == 1).all()
    assert (easy == 1).mean() < 0.3
    assert easy.min() == 1, "yet every one breaks a rule"


def test_there_are_matrices_where_an_unheeded_repeat_would_stay() -> None:
    """The published generator keeps repeated wrong answers; on a small grid nearly all would have some."""
    rng = np.random.default_rng(100)
    cells = [cell for cell in itertools.product(range(2), repeat=4) if cell[0] == 1]
    repeats = [len({cells[i] for i in rng.integers(len(cells), size=5)}) < 5 for _ in range(500)]
    assert np.mean(repeats) > 0.7
    drawn = Matrices(SMALLEST, "easy", (1,)).draw(500, 100)
    assert all(len({*map(tuple, answers)}) == ANSWERS for answers in drawn.answers.tolist())


def test_easy_wrong_answers_are_any_that_break_a_rule() -> None:
    """Every such cell is as likely: enumerated where one factor of a small grid is ruled."""
    drawn = Matrices(FactorSpace(("a", "b"), (3, 4)), "easy", (1,)).draw(4000, 100)
    right = np.take_along_axis(drawn.answers, drawn.right[:, None, None], axis=1)
    on_first = drawn.ruled[:, 0]
    moved = (drawn.answers - right)[on_first]
    wrong = drawn.answers[on_first][moved[..., 0] != 0]
    values = np.bincount(wrong[:, 1], minlength=4) / len(wrong)
    assert np.abs(values - 1 / 4).max() < 0.03
    steps = np.bincount(moved[..., 0][moved[..., 0] != 0] % 3, minlength=3)[1:] / len(wrong)
    assert np.abs(steps - 1 / 2).max() < 0.03
    assert not (moved[..., 0] == 0).sum(axis=1).max() > 1


def test_the_seed_alone_decides() -> None:
    matrices = Matrices(SPACE, "hard")
    for first, second in zip(matrices.draw(50, [7, 1]), matrices.draw(50, [7, 1]), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(matrices.draw(50, [7, 1]).context, matrices.draw(50, [7, 2]).context)


def wrong_answers(sizes: Sequence[int], ruled: Sequence[int], kind: str) -> int:
    """How many wrong answers there are beside a right one of zeros, counted one by one."""
    found = 0
    for cell in itertools.product(*map(range, sizes)):
        breaks = sum(cell[j] != 0 for j in ruled)
        found += breaks == 1 if kind == "hard" else breaks > 0
    return found


@pytest.mark.parametrize("kind", ["easy", "hard"])
@pytest.mark.parametrize(
    "sizes", [(2, 2), (2, 3), (3, 3), (2, 5), (2, 2, 2), (2, 2, 3), (2, 2, 2, 2), (9, 2, 2)]
)
def test_a_grid_is_refused_exactly_where_wrong_answers_could_lack(sizes: tuple[int, ...], kind: str) -> None:
    names = tuple("abcd"[: len(sizes)])
    for count in range(1, len(sizes)):
        subsets = itertools.combinations(range(len(sizes)), count)
        enough = min(wrong_answers(sizes, ruled, kind) for ruled in subsets) >= ANSWERS - 1
        if enough:
            drawn = Matrices(FactorSpace(names, sizes), kind, (count,)).draw(20, 100)
            assert drawn.answers.shape == (20, ANSWERS, len(sizes))
        else:
            with pytest.raises(BadInput, match=rf"a grid of .* has as few as \d of kind {kind}"):
                Matrices(FactorSpace(names, sizes), kind, (count,))


@pytest.mark.parametrize(
    ("space", "options", "message"),
    [
        (FactorSpace(("x", "y", "k"), (9, 9, 1)), {}, "3 rules needs at least 4 factors .* has 2: x, y"),
        (
            FactorSpace(("k",), (1,)),
            {"rules": (1,)},
            "at least 2 factors of several values; this grid has 0: none",
        ),
        (SPACE, {"kind": "hardest"}, "unknown kind of answers 'hardest'; did you mean 'hard'"),
        (SPACE, {"rules": ()}, "name each number of rules once"),
        (SPACE, {"rules": (1, 1)}, "name each number of rules once"),
        (SPACE, {"rules": (0,)}, "rules=0 is not allowed"),
    ],
)
def test_what_cannot_be_is_one_clear_line(space: FactorSpace, options: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        Matrices(space, **options)
    assert "\n" not in str(error.value)
