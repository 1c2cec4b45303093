"""Score codes against factors: values, intervals, chance and ceiling, health."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff import registry
from distaff.errors import BadInput, NotApplicable, unknown
from distaff.metrics.arrays import check_seed
from distaff.metrics.dci import importance_matrix
from distaff.metrics.declare import NEEDS
from distaff.metrics.door import admit
from distaff.metrics.health import check_health
from distaff.metrics.information import mutual_information_matrix
from distaff.metrics.inputs import Inputs, Result, call
from distaff.metrics.mcc import correlation_matrix
from distaff.metrics.protocols import check_protocol, prepare
from distaff.metrics.reference import Reference, reference, versions
from distaff.metrics.sap import predictability_matrix
from distaff.metrics.score_card import FAILED, Score, ScoreCard
from distaff.tables import Continuous

HALVES = {"fast": 20, "fitted": 5, "slow": 5}  # half samples behind an interval, by the metric's cost
SMALLEST_FOR_INTERVAL = 20  # rows
MANY_CODES = 500  # above it what grows with their square, or takes long, is left out of the default card
LONGEST = 60  # seconds


def score(
    codes: Any,
    factors: Any = None,
    *,
    metrics: Sequence[str] | str | None = None,
    names: Sequence[str] | None = None,
    continuous: Continuous = False,
    words: Sequence[str] = (),
    order: Mapping[str, Sequence[str]] | None = None,
    missing: str = "error",
    logvar: Any = None,
    mates: Sequence[Any] | None = None,
    mates_logvar: Sequence[Any] | None = None,
    protocol: str | None = None,
    seed: int = 0,
    values_only: bool = False,
    report: Callable[[int, str], object] = lambda done, words: None,
) -> ScoreCard:
    """Score codes (n, d) against factors (n, k): any representation, from any framework.

    Both are arrays, nested lists, tensors on any device, or data frames; the rows of frames are paired by
    their labels. Factors are whole numbers or words; those with a single value are left out. Without
    `factors` the scores that need none are given.

    `metrics` names those wanted: by default all but the slow ones, and above 500 codes without those whose
    time grows with the square of their number or exceeds a minute; "all" for these too. `names` are the
    factors'. `continuous` factors are real numbers, for the metrics that allow them: all (True), or some by
    name or number. `words` names columns that hold words, whatever they look like; `order` gives words their
    order, by column, for scores that read factors as numbers. `missing` "drop" leaves out rows in which a
    value is missing.

    `logvar` (n, d), the log-variances of the codes' posteriors, adds `mig_exact`; `mates`, other runs' codes
    of the same rows, adds `udr` (which leaves out latents of little KL if `logvar` and `mates_logvar` are
    given). `protocol` "locatello2019" takes that study's numbers of rows and learners and refuses fewer rows;
    without it any number is scored, from 20 up with an interval.

    The 95 % interval is value +- t s, where s is the standard deviation of the score over 20 random halves of
    the rows (5 where a predictor is fitted) and t Student's quantile: halves drawn without replacement vary
    as the whole sample does from one drawing to the next, and repeat no row, which would inflate mutual
    information. It covers how scores vary from sample to sample, not the bias that a metric has on few rows;
    for scores that hang on extremes (irs, and bins where codes have outliers) it was found up to half too
    narrow. Chance is what Gaussian codes score on these factors, the ceiling what the factors themselves
    score; both are kept in a cache. `values_only` skips intervals, chance and ceiling.

    A metric that ends in an error that was not foreseen has that as its reason; `card.failed` names it.
    Raises BadInput (a ValueError) where the arrays cannot be used.
    """
    seed = check_seed(seed)
    given = admit(
        codes,
        factors,
        names=names,
        continuous=continuous,
        words=words,
        order=order,
        missing=missing,
        logvar=logvar,
        mates=mates,
        mates_logvar=mates_logvar,
    )
    inputs = given.inputs
    having = [need for need in NEEDS if getattr(inputs, need) is not None]
    wanted = wanted_metrics(metrics, having)
    found = {} if metrics is not None else _too_many_codes(wanted, inputs, values_only)
    scored = [metric for metric in wanted if metric not in found]
    check_protocol(protocol, scored, len(inputs))
    learners: dict[str, str] = {}
    for done, metric in enumerate(scored):
        report(done, metric)
        scores, learner = _scores(registry.get("metrics", metric), inputs, seed, protocol, values_only)
        found |= scores
        learners |= {metric: learner} if learner else {}
    report(len(scored), "")
    made = card_protocol(len(inputs), inputs.codes.shape[1], given.names, seed, values_only)
    made |= {"protocol": protocol, "continuous": given.continuous, "learners": learners}
    made |= {"left out": given.left_out, "words": given.words, "notes": given.notes}
    return ScoreCard(found, made, check_health(inputs, given.names, found, seed))


def _too_many_codes(wanted: Sequence[str], inputs: Inputs, values_only: bool) -> dict[str, Score]:
    """Why metrics that grow with the square of many codes, or take long, are left out of the default card."""
    rows, codes = inputs.codes.shape
    if codes <= MANY_CODES:
        return {}
    found = {}
    for metric in wanted:
        declared = registry.get("metrics", metric).declaration
        once = declared.seconds * (codes / 1000) ** declared.grows * rows / 2000
        if declared.grows < 2 and once <= LONGEST:
            continue
        times = 1 if values_only else 1 + HALVES[declared.cost] / 2
        long = _duration(once * times)
        reason = f"left out: {codes:,} codes take about {long}; --metric {metric} or --all"
        found[metric] = Score(reason=reason, higher_is_better=declared.higher_is_better)
    return found


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.0f} hours"


def wanted_metrics(metrics: Sequence[str] | str | None, having: Sequence[str] = ("factors",)) -> list[str]:
    """The names of metrics asked for: by default all but the slow ones, as far as what there is goes."""
    if metrics is not None and metrics != "all":
        asked = [metrics] if isinstance(metrics, str) else list(metrics)
        for metric in asked:
            if metric not in registry.names("metrics"):
                raise unknown("metric", metric, registry.names("metrics"))
        return asked
    found = []
    for metric in registry.names("metrics"):
        declared = registry.get("metrics", metric).declaration
        if set(declared.needs) <= set(having) and (declared.cost != "slow" or metrics == "all"):
            found.append(metric)
    return found


def score_matrices(
    codes: Any, factors: Any, *, seed: int = 0, **given: Any
) -> dict[str, NDArray[np.float64]]:
    """The matrices behind the scores by name, codes by factors; fairness's takes minutes and is left out.

    `given` are `names`, `continuous`, `words`, `order` and `missing` of `score`. There is no correlation with
    words that have no order.
    """
    inputs = admit(codes, factors, **given).inputs
    table, real = np.asarray(inputs.factors), inputs.continuous
    found = {
        "mutual_information": mutual_information_matrix(inputs.codes, table, continuous=real),
        "importance": importance_matrix(inputs.codes, table, continuous=real, seed=seed),
        "predictability": predictability_matrix(inputs.codes, table, continuous=real, seed=seed),
    }
    if not inputs.unordered:
        found["correlation"] = correlation_matrix(inputs.codes, table, continuous=real)
    return found


def card_protocol(
    rows: int, codes: int, names: Sequence[str], seed: int, values_only: bool
) -> dict[str, Any]:
    """What the scores were made from and with."""
    return {
        "rows": rows,
        "codes": codes,
        "factors": list(names),
        "seed": seed,
        "interval": None
        if values_only
        else f"95 %, from {HALVES['fast']} or {HALVES['fitted']} halves of the rows",
        "versions": versions(),
    }


def _scores(
    function: Callable[..., Any], inputs: Inputs, seed: int, protocol: str | None, values_only: bool
) -> tuple[dict[str, Score], str | None]:
    """The scores of one metric by name: one, or one per field of a named tuple; and the learner it names."""
    declared = function.declaration  # type: ignore[attr-defined]
    better = declared.higher_is_better
    try:
        result = _call(function, inputs, seed, protocol)
    except NotApplicable as error:
        return {function.__name__: Score(reason=f"not applicable: {error}", higher_is_better=better)}, None
    except BadInput:
        raise
    except Exception as error:  # one metric must not take the others' scores with it
        return {function.__name__: Score(reason=_failure(error), higher_is_better=better)}, None
    known, halves, reason = Reference({}, {}), [], ""
    if not values_only:
        try:
            known = reference(function, inputs, seed, protocol)
            halves = list(_halves(function, inputs, seed, protocol))
        except Exception as error:  # the value stands, without what should be beside it
            reason = _failure(error)
    scores = {
        key: _score(
            value, [half[key] for half in halves], known.chance.get(key), known.ceiling.get(key), declared
        )
        for key, value in result.numbers.items()
    }
    if reason:
        scores = {key: replace(score, reason=reason) for key, score in scores.items()}
    return scores, result.learner


def _failure(error: Exception) -> str:
    return f"{FAILED}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _call(
    function: Callable[..., Any], inputs: Inputs, seed: int, protocol: str | None, part: float = 1.0
) -> Result:
    prepared, settings = prepare(protocol, function, inputs, seed, part)
    result = call(function, prepared, seed, settings)
    for key, value in result.numbers.items():
        if value is not None and math.isnan(value):
            raise BadInput(f"{key} is not a number on these arrays")
    return result


def _score(
    value: float | None,
    halves: list[float | None],
    chance: float | None,
    ceiling: float | None,
    declared: Any,
) -> Score:
    better = declared.higher_is_better
    if value is None:
        return Score(reason="not applicable: too few rows", higher_is_better=better)
    if math.isinf(value):
        return Score(
            reason="infinite on these codes", chance=chance, ceiling=ceiling, higher_is_better=better
        )
    numbers = [half for half in halves if half is not None and math.isfinite(half)]
    low = high = None
    if len(numbers) > 1:
        margin = student(len(numbers) - 1) * float(np.std(numbers, ddof=1))
        low, high = max(min(declared.low, value), value - margin), min(declared.high, value + margin)
    return Score(value, low, high, chance, ceiling, better)


@functools.cache
def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _halves(
    function: Callable[..., Any], inputs: Inputs, seed: int, protocol: str | None
) -> Iterator[dict[str, float | None]]:
    n = len(inputs)
    if n < SMALLEST_FOR_INTERVAL:
        return
    for i in range(HALVES[function.declaration.cost]):  # type: ignore[attr-defined]
        rows = np.random.default_rng([seed, i]).permutation(n)[: n // 2]
        try:
            yield _call(function, inputs.take(rows), seed + 1 + i, protocol, part=0.5).numbers
        except BadInput:  # a half in which a factor takes a single value
            continue
