"""Score codes against factors: values, intervals, chance and ceiling, health."""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from distaff import registry
from distaff.errors import BadInput, NotApplicable
from distaff.metrics.arrays import check_seed
from distaff.metrics.dci import importance_matrix
from distaff.metrics.declare import Declaration
from distaff.metrics.held_out import whole_units
from distaff.metrics.information import mutual_information_matrix
from distaff.metrics.mcc import correlation_matrix
from distaff.metrics.sap import predictability_matrix
from distaff.scoring.card import FAILED, Score, ScoreCard
from distaff.scoring.comparison import Comparison
from distaff.scoring.door import Admitted, Given, admit, names_given
from distaff.scoring.health import check_health
from distaff.scoring.inputs import Inputs
from distaff.scoring.measure import HALVES, SMALLEST_FOR_INTERVAL, Measure
from distaff.scoring.protocols import check_protocol
from distaff.scoring.reference import Reference, versions
from distaff.scoring.side_by_side import Parts, side_by_side
from distaff.scoring.validity import check_validity
from distaff.tables import Sparse

MANY_CODES = 500  # above it what grows with their square, or takes long, is left out of the default card
LONGEST = 60  # seconds

Value = float | None


@overload
def score(
    codes: Any, factors: Any = None, *, obsm: list[str] | tuple[str, ...], **settings: Any
) -> Comparison: ...


@overload
def score(
    codes: Any,
    factors: Any = None,
    *,
    metrics: Sequence[str] | str | None = None,
    protocol: str | None = None,
    seed: int = 0,
    values_only: bool = False,
    report: Callable[[int, str], object] = ...,
    **given: Unpack[Given],
) -> ScoreCard: ...


@names_given
def score(
    codes: Any,
    factors: Any = None,
    *,
    metrics: Sequence[str] | str | None = None,
    protocol: str | None = None,
    seed: int = 0,
    values_only: bool = False,
    report: Callable[[int, str], object] = lambda done, words: None,
    **given: Any,
) -> ScoreCard | Comparison:
    """Score codes (n, d) against factors (n, k): any representation, from any framework.

    Both are arrays, nested lists, tensors on any device, or data frames; the rows of frames are paired by
    their labels. Factors are whole numbers or words; those with a single value are left out. Without
    `factors` the scores that need none are given. Codes may be a matrix of scipy.sparse and stay so: scores
    are given that need no array, and their chance is that of the same codes with their rows shuffled.

    `metrics` names those wanted: by default all but the slow ones, and above 500 codes without those whose
    time grows with the square of their number or exceeds a minute; "all" for these too. `names` are the
    factors'. `continuous` factors are real numbers, for the metrics that allow them: all (True), or some by
    name or number. `words` names columns that hold words, whatever they look like; `order` gives words their
    order, by column, for scores that read factors as numbers. `missing` "drop" leaves out rows in which a
    value is missing, or that one of two tables alone names.

    `logvar` (n, d), the log-variances of the codes' posteriors, adds `mig_exact`; `mates`, other runs' codes
    of the same rows, adds `udr` (which leaves out latents of little KL if `logvar` and `mates_logvar` are
    given). `blocks`, lists of columns of codes by number or name or a dict of such lists, are scored in place
    of single codes: by default by the metrics that are defined for them. `groups`, such lists of factors, are
    what `sis` and `block_mcc` look for a block of, by default each factor alone.

    `units` says of each row which episode, donor or subject it is of: the name of a column, of codes, factors
    or obs, which is not scored then, or an array (n,). Rows of a unit are alike, and a predictor that is
    tried on rows of units that it knows is told the answer by what else they share. With `units` a third of
    them is held out whole, and the halves behind intervals are of units, from 20 up.

    `protocol` "locatello2019" takes that study's numbers of rows and learners and refuses fewer rows; without
    it any number is scored, from 20 up with an interval.

    The 95 % interval is value +- t s, where s is the standard deviation of the score over 20 random halves of
    the rows (5 where a predictor is fitted) and t Student's quantile: halves drawn without replacement vary
    as the whole sample does from one drawing to the next, and repeat no row, which would inflate mutual
    information. It covers how scores vary from sample to sample, not the bias that a metric has on few rows;
    for scores that hang on extremes (irs, and bins where codes have outliers) it was found up to half too
    narrow. Chance is what Gaussian codes score on these factors, the ceiling what the factors themselves
    score; both are kept in a cache. `values_only` skips intervals, chance and ceiling. All of it is measured
    side by side, on as many cores as OMP_NUM_THREADS says, or all.

    `card.health` has what health checks found broken (H01 and on), and where scores mislead though nothing is
    (W01 and on; `distaff.scoring.validity`).

    `codes` may be annotated data (AnnData): `obsm` names the embedding, `obs` the columns that are factors
    (without names: the only embedding not made for pictures, all categories and truth values). Cells without
    a label are left out, which a note says, and `drvi` is scored as well. A list as `obsm` gives a card for
    each embedding, side by side (`Comparison`; its `to_frame()` has a row for each).

    A metric that ends in an error that was not foreseen has that as its reason; `card.failed` names it.
    Raises BadInput (a ValueError) where the arrays cannot be used.
    """
    seed = check_seed(seed)
    if isinstance(given.get("obsm"), list | tuple):
        asked: dict[str, Any] = {
            "metrics": metrics,
            "protocol": protocol,
            "seed": seed,
            "values_only": values_only,
        }
        keys: list[str] = list(dict.fromkeys(given.pop("obsm")))
        cards = {key: score(codes, factors, obsm=key, report=report, **asked, **given) for key in keys}
        return Comparison(cards)
    admitted = admit(codes, factors, **given)
    inputs = admitted.inputs
    sparse = isinstance(inputs.codes, Sparse)
    wanted = wanted_metrics(metrics, list(inputs.given), sparse)
    if sparse and metrics is None and "blocks" not in inputs.given:
        admitted.notes.append(_needing_arrays(list(inputs.given)))
    if admitted.cells and metrics is None and "blocks" not in inputs.given and not sparse:
        wanted.append("drvi")
    found = {} if metrics is not None else _too_many_codes(wanted, inputs, values_only)
    found |= _of_single_codes(wanted) if "blocks" in inputs.given else {}
    scored = [metric for metric in wanted if metric not in found]
    check_protocol(protocol, scored, len(inputs))
    admitted.notes.extend(_check_units(inputs, protocol, values_only))
    learners: dict[str, str] = {}
    measures = [_measure(metric, inputs, seed, protocol) for metric in scored]
    with side_by_side(measures, values_only) as parts:
        for done, (measure, each) in enumerate(zip(measures, parts, strict=True)):
            report(done, scored[done])
            scores, learner = _scores(measure, each)
            found |= scores
            learners |= {scored[done]: learner} if learner else {}
            if any(one.value is not None for one in scores.values()):
                admitted.notes.extend([measure.adapted.why] if measure.adapted else [])
                admitted.notes.extend(admitted.remarks(measure.metric.declaration))
    report(len(scored), "")
    said = _protocol(admitted, seed, values_only, protocol, learners)
    health = check_health(inputs, admitted.names, found, seed)
    return ScoreCard(found, said, health + check_validity(inputs, admitted.names, found))


def _check_units(inputs: Inputs, protocol: str | None, values_only: bool) -> list[str]:
    """Notes of units, if there are any; BadInput beside a protocol."""
    if (units := inputs.given.get("units")) is None:
        return []
    if protocol:
        raise BadInput(f"protocol={protocol!r} says which rows are held out; give it or units, not both")
    count = int(units.max()) + 1
    if values_only or count >= SMALLEST_FOR_INTERVAL:
        return []
    return [f"{count} units are too few for intervals, which take {SMALLEST_FOR_INTERVAL}"]


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


def wanted_metrics(
    metrics: Sequence[str] | str | None, having: Sequence[str] = ("factors",), sparse: bool = False
) -> list[str]:
    """The names of metrics asked for: by default all but the slow ones, as far as what there is goes.

    Of `sparse` codes those that take them, and those that ask what fires. Of blocks of codes those that are
    defined for blocks.
    """
    if metrics is not None and metrics != "all":
        asked = [metrics] if isinstance(metrics, str) else list(metrics)
        for metric in asked:
            registry.check("metrics", metric)
        return asked
    declared = {name: registry.get("metrics", name).declaration for name in registry.names("metrics")}
    possible = {name: each for name, each in declared.items() if set(each.needs) <= set(having)}
    if "blocks" in having:
        return [n for n in possible if _takes_blocks(n)]
    if metrics == "all":
        return list(possible)
    quick = {name: each for name, each in possible.items() if each.cost != "slow"}
    return [n for n, each in quick.items() if not (each.only_dense if sparse else each.asks_what_fires)]


def _takes_blocks(metric: str) -> bool:
    return "blocks" in inspect.signature(registry.get("metrics", metric)).parameters


def _of_single_codes(wanted: Sequence[str]) -> dict[str, Score]:
    """Why metrics that know of no blocks have no value where blocks are to be scored."""
    reason = "not applicable: it is of single codes, and blocks of codes are given"
    found = {}
    for metric in wanted:
        if not _takes_blocks(metric):
            declared = registry.get("metrics", metric).declaration
            found[metric] = Score(reason=reason, higher_is_better=declared.higher_is_better)
    return found


def _needing_arrays(having: Sequence[str]) -> str:
    """A note of the scores that the card of sparse codes lacks."""
    needing = set(wanted_metrics(None, having)) - set(wanted_metrics(None, having, sparse=True))
    names = ", ".join(name for name in registry.names("metrics") if name in needing)
    return f"codes are sparse, and stay so: left out are scores that need an array ({names})"


def score_matrices(
    codes: Any, factors: Any, *, seed: int = 0, **given: Unpack[Given]
) -> dict[str, NDArray[np.float64]]:
    """The matrices behind the scores by name, codes by factors; fairness's takes minutes and is left out.

    `given` are `names`, `continuous`, `words`, `order` and `missing` of `score`. There is no correlation with
    words that have no order, and of sparse codes only what needs no array.
    """
    inputs = admit(codes, factors, **given).inputs
    arrays = {"codes": inputs.codes, "factors": inputs.factors, "continuous": inputs.continuous}
    found = {"mutual_information": mutual_information_matrix.of_arrays(**arrays)}
    if not isinstance(inputs.codes, Sparse):
        found["importance"] = importance_matrix.of_arrays(**arrays, seed=check_seed(seed))
        units = inputs.given.get("units")
        apart = {} if units is None else whole_units(inputs.codes, inputs.given["factors"], units, seed)
        found["predictability"] = predictability_matrix.of_arrays(**{**arrays, **apart}, seed=seed)
    return found if inputs.unordered else found | {"correlation": correlation_matrix.of_arrays(**arrays)}


def _protocol(
    given: Admitted, seed: int, values_only: bool, protocol: str | None, learners: dict[str, str]
) -> dict[str, Any]:
    """What the scores were made from and with."""
    units = given.inputs.given.get("units")
    of = "the rows" if units is None else "the units"
    halves = f"95 %, from {HALVES['fast']} or {HALVES['fitted']} halves of {of}"
    return {
        "rows": len(given.inputs),
        "codes": given.inputs.codes.shape[1],
        "factors": given.names,
        "units": None if units is None else int(units.max()) + 1,
        "seed": seed,
        "interval": None if values_only else halves,
        "versions": versions(),
        "protocol": protocol,
        "continuous": given.continuous,
        "blocks": [list(map(int, block)) for block in given.inputs.given.get("blocks", ())] or None,
        "learners": learners,
        "left out": given.left_out,
        "words": given.words,
        "notes": given.notes,
    }


def _measure(metric: str, inputs: Inputs, seed: int, protocol: str | None) -> Measure:
    function = registry.get("metrics", metric)
    return Measure(function, inputs, seed, protocol, function.declaration.adapted(*inputs.codes.shape))


def _scores(measure: Measure, parts: Parts) -> tuple[dict[str, Score], str | None]:
    """The scores of one metric by name: one, or one per field of a named tuple; and the learner it names."""
    name, better = measure.metric.__name__, measure.declared.higher_is_better
    try:
        result = parts.value.result()
    except NotApplicable as error:
        return {name: Score(reason=f"not applicable: {error}", higher_is_better=better)}, None
    except BadInput:
        raise
    except Exception as error:  # one metric must not take the others' scores with it
        return {name: Score(reason=_failure(error), higher_is_better=better)}, None
    known, halves, reason = Reference({}, {}), [], ""
    try:
        known = parts.reference.result() if parts.reference else known
        halves = [half.result() for half in parts.halves]
    except Exception as error:  # the value stands, without what should be beside it
        reason = _failure(error)
    scores = {}
    for key, value in result.numbers.items():
        beside = known.chance.get(key), known.ceiling.get(key)
        found = _score(value, [half[key] for half in halves if half], *beside, measure.declared)
        scores[key] = replace(found, reason=reason) if reason else found
    return scores, result.learner


def _failure(error: Exception) -> str:
    return f"{FAILED}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _score(value: Value, halves: list[Value], chance: Value, ceiling: Value, declared: Declaration) -> Score:
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
        from scipy.special import stdtrit

        student = float(stdtrit(len(numbers) - 1, 0.975))  # the 97.5 % quantile of Student's t distribution
        margin = student * float(np.std(numbers, ddof=1))
        low, high = max(min(declared.low, value), value - margin), min(declared.high, value + margin)
    return Score(value, low, high, chance, ceiling, better)
