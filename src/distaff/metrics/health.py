"""Health checks: what to beware of before a score is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import standardised, varying
from distaff.metrics.information import discretise, entropy, mutual_information
from distaff.metrics.inputs import Inputs, active_latents

if TYPE_CHECKING:
    from distaff.metrics.score_card import Score


class Finding(NamedTuple):
    """A health check that found something: its stable code, and what it found here."""

    code: str
    message: str


#: stable code -> what the check looks for
CHECKS = {
    "H01": "posterior collapse: fewer active latents (mean posterior variance below .8) than factors",
    "H02": "dead codes: columns with a single value",
    "H03": "duplicated codes: two columns with an absolute correlation above .999",
    "H04": "too few rows for a factor's values: information is overestimated by a tenth of its entropy",
    "H05": "scores inside noise: the 95 % interval reaches what noise codes score",
    "H06": "a metric that cannot see what is missing: at least .95, though no code knows of a factor",
    "H07": "codes of small scale: factor_vae_score leaves out deviations below .05, mig_sup below .1",
    "H08": "as many codes as rows, or more: predictors can learn any factor by heart",
}
BINS = 20
BLIND = ("beta_vae_score", "factor_vae_score", "modularity", "irs", "mig_sup", "infomec.infom")


def check_health(inputs: Inputs, names: list[str], scores: Mapping[str, Score]) -> list[Finding]:
    """What the health checks find in inputs and their scores; `names` are the factors'."""
    found = [*_codes(inputs), *_noise(scores)]
    if not inputs.continuous:
        found += [*_rows(inputs, names), *_blind(inputs, names, scores)]
    return sorted(found)


def _codes(inputs: Inputs) -> Iterator[Finding]:
    codes, live = inputs.codes, varying(inputs.codes)
    if inputs.logvar is not None:
        active = int(active_latents(inputs.logvar).sum())
        if active < inputs.factors.shape[1]:
            yield Finding(
                "H01", f"{active} active latents for {inputs.factors.shape[1]} factors: posterior collapse"
            )
    if not live.all():
        yield Finding("H02", f"{int((~live).sum())} of {len(live)} codes are constant: {_columns(~live)}")
    for a, b in _copies(codes, live):
        yield Finding("H03", f"codes {a} and {b} are copies of each other")
    deviation = codes.std(axis=0, dtype=np.float64)
    for metric, least in (("factor_vae_score", 0.05), ("mig_sup", 0.1)):
        small = live & (deviation < least)
        if small.any():
            yield Finding(
                "H07", f"{metric} leaves out codes {_columns(small)}: deviation below {least}; rescale"
            )
    if codes.shape[1] >= len(codes):
        yield Finding(
            "H08", f"{codes.shape[1]} codes for {len(codes)} rows: predictors can learn them by heart"
        )


def _copies(codes: NDArray[np.floating], live: NDArray[np.bool_], most: int = 500) -> list[tuple[int, int]]:
    """The first pair of codes that are copies, among the first `most` live ones."""
    columns = np.flatnonzero(live)[:most]
    scaled = standardised(codes[:, columns])
    alike = np.triu(np.abs(scaled.T @ scaled) / len(codes) > 0.999, 1)
    return [(int(columns[a]), int(columns[b])) for a, b in np.argwhere(alike)[:1]]


def _rows(inputs: Inputs, names: list[str]) -> Iterator[Finding]:
    for name, column in zip(names, inputs.factors.T, strict=True):
        values = len(np.unique(column))
        bias = (BINS - 1) * (values - 1) / (2 * len(column))  # nats, to first order
        if bias > 0.1 * np.log(values):
            yield Finding(
                "H04",
                f"factor {name} has {values} values in {len(column)} rows: mutual information is too high",
            )


def _noise(scores: Mapping[str, Score]) -> Iterator[Finding]:
    inside = []
    for name, s in scores.items():
        if s.chance is None or s.low is None or s.high is None or s.scaled is None or not s.higher_is_better:
            continue
        if s.low <= s.chance:
            inside.append(name)
    if inside:
        yield Finding("H05", f"not to be told from noise: {', '.join(inside)}")


def _blind(inputs: Inputs, names: list[str], scores: Mapping[str, Score]) -> Iterator[Finding]:
    high = [name for name in BLIND if name in scores and (scores[name].value or 0.0) >= 0.95]
    if not high:
        return
    information = mutual_information(discretise(inputs.codes, BINS), inputs.factors).max(axis=0)
    bias = [(BINS - 1) * (len(np.unique(column)) - 1) / (2 * len(column)) for column in inputs.factors.T]
    share = (information - bias) / entropy(inputs.factors)
    lost = [name for name, known in zip(names, share, strict=True) if known < 0.05]
    if lost:
        yield Finding(
            "H06", f"no code knows of {', '.join(lost)}, which these scores cannot see: {', '.join(high)}"
        )


def _columns(which: NDArray[np.bool_]) -> str:
    numbers = [str(j) for j in np.flatnonzero(which)]
    return ", ".join(numbers[:8]) + (" ..." if len(numbers) > 8 else "")
