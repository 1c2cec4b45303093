"""What a block of codes alone tells of a factor: accuracy or R2 on rows held out, a bound of information."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import Codes, Factors, Floats, Ints, Test, real_columns
from distaff.metrics.blocks import Blocks
from distaff.metrics.held_out import Rows, few_to_learn
from distaff.metrics.information import discretise, entropy
from distaff.metrics.kept import Kept
from distaff.metrics.linear_r2 import mean_r2
from distaff.metrics.threads import quiet
from distaff.settings import whole_number
from distaff.tables import Continuous

TREES, LEAST_LEAF = 20, 5
KEPT = 32  # matrices: those of a card, with its halves, chance and ceiling, of which two scores are made
SHARES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)  # of the commonness of values in what a forest says


_known: Kept[Floats] = Kept(KEPT)


class Split(NamedTuple):
    """Rows to learn from and to score on, which factors are real numbers, and the seed of the forests."""

    learn: Rows
    score: Rows
    real: tuple[int, ...]
    seed: int


def split(
    codes: Codes, factors: Factors, continuous: Continuous, test: Test, seed: int, most_rows: int
) -> Split:
    """The rows to learn from, `most_rows` at most, and those to score on."""
    learn, score = few_to_learn(codes, factors, test, seed, whole_number("most_rows", most_rows, 2))
    return Split(learn, score, real_columns(continuous), seed)


def above_chance(rows: Split, blocks: Blocks) -> Floats:
    """How well each block alone predicts each factor (blocks, k), from chance (0) to always (1).

    Accuracy with the share of the commonest value as chance, or R2 of factors that are real numbers. The
    same arrays are not learned from again as long as their matrix is kept.
    """
    return _known.get(lambda: _above_chance(rows, blocks), rows, blocks).copy()


def _above_chance(rows: Split, blocks: Blocks) -> Floats:
    found = np.zeros((len(blocks), rows.learn.factors.shape[1]))
    for (b, j), _ in np.ndenumerate(found):
        columns, known, truth = list(blocks[b]), rows.learn.factors[:, j], rows.score.factors[:, j]
        real = j in rows.real
        model = _forest(
            rows.learn.codes[:, columns], known if real else known.astype(np.int64), rows.seed, real
        )
        predicted = model.predict(rows.score.codes[:, columns])
        if real:
            found[b, j] = mean_r2(truth[:, None], predicted[:, None], known[:, None])
            continue
        chance = np.bincount(truth.astype(np.int64)).max() / len(truth)
        found[b, j] = max(0.0, (np.mean(predicted == truth) - chance) / (1 - chance)) if chance < 1 else 0.0
    return found


def information_bound(rows: Split, blocks: Blocks, bins: int) -> tuple[Floats, Floats]:
    """Lower bounds of the information of blocks and factors (blocks, k), and factors' entropies (k,), nats.

    max(0, H(v) + mean log q(v | block)) on the rows to score on, where q is what a forest learned, mixed with
    the commonness of the values: the share that suits the trees' own left-out rows best. Real factors are put
    in `bins` equal bins.
    """
    both = np.concatenate([rows.learn.factors, rows.score.factors])
    binned = both.copy()
    binned[:, list(rows.real)] = discretise(both[:, list(rows.real)], bins)
    known, truth = np.split(binned.astype(np.int64), [len(rows.learn.factors)])
    entropies = entropy(truth)
    found = np.zeros((len(blocks), both.shape[1]))
    for (b, j), _ in np.ndenumerate(found):
        columns = list(blocks[b])
        seen, unseen = rows.learn.codes[:, columns], rows.score.codes[:, columns]
        likelihood = _log_likelihood(seen, known[:, j], unseen, truth[:, j], rows.seed)
        found[b, j] = np.clip(entropies[j] + likelihood, 0.0, entropies[j])
    return found, entropies


def _log_likelihood(seen: Codes, known: Ints, unseen: Codes, truth: Ints, seed: int) -> float:
    """The mean logarithm of the probability given to the truth, nats."""
    values = max(known.max(), truth.max()) + 1
    common = (np.bincount(known, minlength=values) + 1) / (len(known) + values)  # none is impossible
    if len(np.unique(known)) < 2:
        return float(np.log(common[truth]).mean())
    model = _forest(seen, known, seed, False)
    left_out = np.nan_to_num(model.oob_decision_function_)  # a row that no tree left out knows nothing
    own, theirs = (
        _given(chances, model.classes_, each)
        for chances, each in ((left_out, known), (model.predict_proba(unseen), truth))
    )
    mixed = [np.log((1 - share) * own + share * common[known]).mean() for share in SHARES]
    share = SHARES[int(np.argmax(mixed))]
    return float(np.log((1 - share) * theirs + share * common[truth]).mean())


def _given(chances: Floats, classes: Ints, truth: Ints) -> Floats:
    """The probability given to the truth (n,), 0 where it was never seen."""
    place = np.searchsorted(classes, truth).clip(max=len(classes) - 1)
    return np.where(classes[place] == truth, chances[np.arange(len(truth)), place], 0.0)


def _forest(codes: Codes, factor: NDArray[Any], seed: int, regress: bool) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if regress else RandomForestClassifier
    model = kind(
        TREES, min_samples_leaf=LEAST_LEAF, max_features=None, random_state=seed, oob_score=not regress
    )
    with quiet():
        return model.fit(codes, factor)
