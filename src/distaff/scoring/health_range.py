"""Health of codes' ranges: which scores would change if codes were standardised, or freed of outliers?

What a score does is measured, not listed: it is computed again, on at most 2,000 rows, before and after.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff import registry
from distaff.metrics.arrays import standardised, varying
from distaff.metrics.declare import Declaration
from distaff.metrics.information import discretise, entropy, mutual_information
from distaff.metrics.needs import NEEDS
from distaff.scoring.card import Score
from distaff.scoring.inputs import Inputs
from distaff.scoring.measure import Measure

BINS = 20  # as of the metrics
MOVED = 0.05
MOST_ROWS, MOST_CELLS = 2000, 400_000  # of the codes that scores are computed of again
MANY_CODES = 500  # above it only fast scores are freed of outliers, and probes are quicker
MOST_CODES = {"fast": math.inf, "fitted": 4000}  # of scores tried at another scale, by their cost
NAMED = 3
#: how a code is crowded -> what to say of it
KINDS = {
    "stretched": "one of 20 equal bins holds the middle 99 %",
    "heavy": "a heavy tail leaves one of 20 equal bins nearly all rows",
}


def scale(inputs: Inputs, scores: Mapping[str, Score], seed: int = 0) -> Iterator[str]:
    """A line that names the scores that standardised codes would change, with both values."""
    live, deviation = varying(inputs.codes), inputs.codes.std(axis=0, dtype=np.float64)
    if np.allclose(deviation[live], 1.0, rtol=0.1):
        return
    part, deviation = inputs.take(_some_rows(inputs)), np.where(live, deviation, 1.0)
    given = {need: NEEDS[need].rescaled(value, deviation) for need, value in part.given.items()}
    after = replace(part, codes=standardised(part.codes, like=inputs.codes), given=given)
    metrics = [m for m in _metrics(scores) if _is_rescaled(declared(m), len(live))]
    lines = []
    for name, (raw, new) in _moved(metrics, part, after, _known(inputs, scores), seed).items():
        small = live & (deviation < declared(name).least_deviation)
        note = f" (it leaves out codes {numbered(np.flatnonzero(small))})" if small.any() else ""
        lines.append(f"{name} {raw:.2f}, {new:.2f} standardised{note}")
    if lines:
        yield f"scores that hang on the scale of codes: {'; '.join(lines)}"


def _is_rescaled(metric: Declaration, codes: int) -> bool:
    """Whether another scale of so many codes could change a metric, in little time."""
    most = MOST_CODES[metric.cost] if metric.rescaled_up_to is None else metric.rescaled_up_to
    return "scale" not in metric.invariant_to and codes <= most


def outliers(inputs: Inputs, scores: Mapping[str, Score], seed: int = 0) -> Iterator[str]:
    """A line for codes that a few rows stretch, and one for codes with heavy tails, with what suffers."""
    kinds: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for j in np.flatnonzero(varying(inputs.codes)):
        kind = _crowded(inputs.codes[:, j])
        if kind and not _tells_a_factor(inputs, int(j)):
            kinds[kind].append(int(j))
    for kind, codes in kinds.items():
        if codes:
            far = np.abs(inputs.codes[:, codes] - np.median(inputs.codes[:, codes], axis=0)).argmax(axis=0)
            rows = dict(zip(codes, map(int, far), strict=True))
            suffering = _suffering(inputs, scores, rows, kind, seed)
            yield f"{KINDS[kind]} of {_extremes(inputs, rows)}; {suffering}"


def _crowded(code: NDArray[np.floating]) -> str:
    """Whether the middle 99 % of a code are in fewer than 2 of its bins, or most of it by a heavy tail.

    Such a tail fills at least three other bins, and the crowded one's rows fill half of it at least: those of
    a rare value, however far from the rest, do neither. Rows of 0 do not count: a code may be mostly off.
    """
    on = code[code != 0]
    if not len(on) or not varying(on[:, None])[0]:
        return ""
    place = (on - on.min()) / np.ptp(on) * BINS
    bins = place.astype(np.int64).clip(max=BINS - 1)
    first, last = _middle(place)
    narrow = last - first < 1 or int(first) == min(int(last), BINS - 1)  # at an edge it is in two bins
    if narrow and ((place < first) | (place > last)).any():
        inner = _clipped(on)
        return "heavy" if varying(inner[:, None])[0] and _crowded(inner) else "stretched"
    counts = np.bincount(bins, minlength=BINS)
    main = int(counts.argmax())
    parts = ((place[bins == main] - main) * 10).astype(np.int64).clip(max=9)
    tail = np.count_nonzero(counts) - 1 >= 3 and len(np.unique(parts)) >= 5
    return "heavy" if tail and counts[main] >= 0.9 * len(place) else ""


def _tells_a_factor(inputs: Inputs, code: int) -> bool:
    """Whether a code's bins know a factor as they are: the code of a rare value is no outlier."""
    if inputs.factors is None:
        return False
    whole = [j for j in range(inputs.factors.shape[1]) if j not in inputs.continuous]
    factors = inputs.factors[:, whole].astype(np.int64)
    known = mutual_information(discretise(inputs.codes[:, [code]], BINS), factors)[0]
    return bool((known > 0.8 * entropy(factors)).any())


def _extremes(inputs: Inputs, rows: Mapping[int, int]) -> str:
    some = [f"code {j} (row {row} holds {inputs.codes[row, j]:.4g})" for j, row in rows.items()]
    return ", ".join(some[:NAMED]) + (f" and {len(some) - NAMED} others" if len(some) > NAMED else "")


def _suffering(
    inputs: Inputs, scores: Mapping[str, Score], rows: Mapping[int, int], kind: str, seed: int
) -> str:
    """Which scores move when these codes, of which the given rows are the extremes, are tamed."""
    part, columns = inputs.take(_some_rows(inputs, tuple(rows.values()))), list(rows)
    codes = np.array(part.codes, dtype=np.float64)
    tame, how = (_clipped, "clipped to its middle 99 %") if kind == "stretched" else (_ranks, "as ranks")
    codes[:, columns] = tame(codes[:, columns])
    allowed = ("fast",) if codes.shape[1] > MANY_CODES else ("fast", "fitted")
    metrics = [m for m in _metrics(scores) if declared(m).cost in allowed]
    # without those that need what would have to be bent with the codes
    metrics = [m for m in metrics if not any(NEEDS[need].of_each_code for need in declared(m).needs)]
    moved = _moved(metrics, part, replace(part, codes=codes), _known(inputs, scores), seed)
    if not moved:
        return f"no score here moves by more than {MOVED} with it {how}"
    return f"with it {how}, " + ", ".join(f"{s} {raw:.2f} -> {new:.2f}" for s, (raw, new) in moved.items())


def _middle(codes: NDArray[Any]) -> NDArray[Any]:
    """The ends (2, ...) of the middle 99 % of rows, without the outermost row on either side at least."""
    n = len(codes)
    out = min(max(1, math.ceil(0.005 * n)), (n - 1) // 2)
    return np.partition(codes, [out, n - 1 - out], axis=0)[[out, n - 1 - out]]


def _clipped(codes: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.clip(codes, *_middle(codes)))


def _ranks(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks, for the middle 99 % of a heavy tail have one as well."""
    from scipy.stats import rankdata

    return standardised(rankdata(codes, axis=0))


def _metrics(scores: Mapping[str, Score]) -> list[str]:
    """The metrics behind scores that have a value, without the slow ones."""
    names = dict.fromkeys(name.partition(".")[0] for name, score in scores.items() if score.value is not None)
    return [name for name in names if declared(name).cost != "slow"]


def declared(score: str) -> Declaration:
    """What the metric behind a score of the card says of itself."""
    found: Declaration = registry.get("metrics", score.partition(".")[0]).declaration
    return found


def _known(inputs: Inputs, scores: Mapping[str, Score]) -> dict[str, float | None]:
    """The card's own values, where probes have all its rows; else none, and both are computed."""
    return {name: score.value for name, score in scores.items()} if len(inputs) <= _most_rows(inputs) else {}


def _most_rows(inputs: Inputs) -> int:
    return min(MOST_ROWS, max(200, MOST_CELLS // int(inputs.codes.shape[1])))


def _moved(
    metrics: list[str], before: Inputs, after: Inputs, known: Mapping[str, float | None], seed: int
) -> dict[str, tuple[float, float]]:
    """The scores that differ by more than .05 between two inputs, and both values."""
    found = {}
    for metric in metrics:
        adapted = declared(metric).adapted(*before.codes.shape)
        measure = Measure(registry.get("metrics", metric), after, seed, adapted=adapted)
        settings = {} if known else declared(metric).probe_with[before.codes.shape[1] > MANY_CODES]
        try:
            new = measure.result(**settings).numbers
            old = known or replace(measure, inputs=before).result(**settings).numbers
        except Exception:  # of fewer rows, which may lack a value of a factor; the card has the score itself
            continue
        for name, other in new.items():
            value = old.get(name)
            if value is not None and other is not None and abs(value - other) > MOVED:
                found[name] = (value, other)
    return found


def _some_rows(inputs: Inputs, with_rows: tuple[int, ...] = ()) -> NDArray[np.int64]:
    """All rows up to 2,000, else so many at random, fewer of many codes, the given ones among them."""
    most = _most_rows(inputs)
    if len(inputs) <= most:
        return np.arange(len(inputs))
    order = np.random.default_rng(0).permutation(len(inputs))
    rest = order[~np.isin(order, with_rows[:most])] if with_rows else order
    return np.concatenate([np.unique(with_rows[:most]).astype(np.int64), rest])[:most]


def numbered(columns: NDArray[np.int64], most: int = 8) -> str:
    """The numbers of some columns, of many the first eight."""
    return ", ".join(map(str, columns[:most])) + (" ..." if len(columns) > most else "")
