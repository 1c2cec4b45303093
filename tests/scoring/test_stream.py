"""Streams: every score beside the metric's own of all rows, whatever the batches and the order of merging."""

import doctest
import inspect
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.metrics.counts import Counts
from distaff.metrics.moments import Moments
from distaff.scoring import stream as module
from distaff.scoring.sample import Sample, hashed
from distaff.scoring.stream import Stream

RNG = np.random.default_rng(0)
FACTORS = np.stack([RNG.integers(4, size=600), RNG.integers(2, size=600), RNG.integers(7, size=600)], axis=1)
CODES = np.tanh(FACTORS @ RNG.standard_normal((3, 5))) + 0.3 * RNG.standard_normal((600, 5))
CODES[:, 4] = 2.5  # a dead one
RANGES = np.stack([CODES.min(axis=0), CODES.max(axis=0)], axis=1) + np.array([[0, 0]] * 4 + [[-1, 1]])
DECLARED = {name: registry.get("metrics", name).declaration for name in registry.names("metrics")}
EXACT = [name for name, declared in DECLARED.items() if declared.exact]
SETTINGS: dict[str, dict[str, Any]] = {"mcc": {"correlation": "pearson"}, "mig": {"bins": 7}}
HELD = hashed(3, "held out", 0, np.arange(600)) % np.uint64(3) == 0


def made(metrics: Any, **given: Any) -> Stream:
    return Stream(metrics, **({"ranges": RANGES, "seed": 3} | given))


def fed(stream: Stream, cuts: list[int], codes: np.ndarray = CODES, factors: Any = FACTORS) -> Stream:
    for start, stop in zip([0, *cuts], [*cuts, len(codes)], strict=True):
        stream.update(codes[start:stop], None if factors is None else factors[start:stop])
    return stream


def own(name: str, factors: np.ndarray = FACTORS, **settings: Any) -> dict[str, float]:
    """What the metric itself says of all rows; linear_r2 of the rows that the stream holds out."""
    function = getattr(distaff.metrics, name)
    if name == "linear_r2":
        given = {"test": (CODES[HELD], factors[HELD]), **settings}
        found = function(CODES[~HELD], factors[~HELD], **given)
    else:
        needed = (factors,) if "factors" in DECLARED[name].needs else ()
        settings |= {"seed": 3} if "seed" in inspect.signature(function).parameters else {}
        found = function(CODES, *needed, **settings)
    return (
        {f"{name}.{k}": v for k, v in found._asdict().items()} if isinstance(found, tuple) else {name: found}
    )


@pytest.mark.parametrize("name", [name for name in EXACT if name != "sap"])
@pytest.mark.parametrize("cuts", [[], [1, 2, 300], [*range(7, 600, 7)]])
def test_an_exact_score_is_that_of_all_rows(name: str, cuts: list[int]) -> None:
    settings = SETTINGS.get(name, {})
    stream = fed(made({name: settings}), cuts)
    assert stream.exact == {name: DECLARED[name].exact.of}
    assert stream.compute() == pytest.approx(own(name, **settings), abs=1e-9)
    assert not stream.reasons
    assert stream.rows == 600


@pytest.mark.parametrize("align", [None, "affine", "cca"])
def test_correlations_however_aligned(align: str | None) -> None:
    settings = {"correlation": "pearson", "align": align}
    found = fed(made({"mcc": settings}), [100]).compute()
    assert found == pytest.approx(own("mcc", **settings), abs=1e-9)


@pytest.mark.parametrize("name", [name for name in EXACT if DECLARED[name].continuous])
def test_continuous_factors(name: str) -> None:
    factors = FACTORS + RNG.random(FACTORS.shape)
    settings = SETTINGS.get(name, {})
    beside = np.stack([factors.min(axis=0), factors.max(axis=0)], axis=1)
    stream = fed(made({name: settings}, continuous=True, factor_ranges=beside), [50, 400], factors=factors)
    assert name in stream.exact
    assert stream.compute() == pytest.approx(own(name, factors, continuous=True, **settings), abs=1e-9)


def test_some_factors_continuous() -> None:
    factors = FACTORS + [0, 0.25, 0] * RNG.random(FACTORS.shape)
    given = {"continuous": [1], "factor_ranges": (factors[:, 1].min(), factors[:, 1].max())}
    found = fed(made(["mig", "linear_r2", "sap"], **given), [50], factors=factors)
    assert [*found.exact] == ["mig", "linear_r2"]  # sap takes accuracies for whole numbers
    for name in found.exact:
        expected = own(name, factors, continuous=[1])
        assert {k: v for k, v in found.compute().items() if k in expected} == pytest.approx(
            expected, abs=1e-9
        )


SAMPLED = ["sap", "irs", "factor_vae_score", "explicitness"]


def test_a_sample_that_holds_all_rows_gives_the_metrics_own_values() -> None:
    stream = fed(made([*SAMPLED, "mig"], ranges=None), [10, 333])
    assert stream.exact == {}
    expected = {k: v for name in SAMPLED for k, v in own(name).items()} | own("mig")
    assert stream.compute() == expected


def test_bins_of_equal_mass_are_those_of_a_sample() -> None:
    settings = {"bins": "zero_quantile"}
    stream = fed(made({"jemmig": settings}), [10, 333])
    assert stream.exact == {}
    assert stream.compute() == own("jemmig", **settings)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("cut", [3, 50])
def test_neither_batches_nor_the_order_of_merging_matter(order: tuple[int, ...], cut: int) -> None:
    """Three parts, each in batches of its own, are the same stream in any order."""
    thirds = [(CODES[i::3], FACTORS[i::3]) for i in range(3)]

    def merged(order: tuple[int, ...], cuts: list[int]) -> Stream:
        parts = [fed(made(["mig", "irs", "linear_r2"], sample=40, part=i), cuts, *thirds[i]) for i in order]
        for other in parts[1:]:
            parts[0].merge(other)
        return parts[0]

    one, other = merged((0, 1, 2), []), merged(order, [*range(cut, 200, cut)])
    assert other.compute() == pytest.approx(one.compute(), abs=1e-9)
    assert other.compute()["irs"] == one.compute()["irs"]
    first, second = one.state(), other.state()
    assert (first["sample.keys"] == second["sample.keys"]).all()
    assert (first["sample.codes.0"] == second["sample.codes.0"]).all()
    assert (first["counts.20.table.0"] == second["counts.20.table.0"]).all()
    assert one.rows == other.rows == 600


def test_the_sample_is_the_smallest_of_even_priorities() -> None:
    numbers = np.arange(50_000)
    found = Sample.of(500, 7, 2, numbers, {"codes": (numbers[:, None],)})
    priority = hashed(7, "sample", 2, numbers)
    assert (found.keys[:, 2] == np.sort(np.argsort(priority)[:500])).all()
    assert (found.arrays["codes"][0][:, 0] == found.keys[:, 2]).all()
    shares = np.bincount((priority >> np.uint64(60)).astype(int), minlength=16) / len(numbers)
    assert shares == pytest.approx(1 / 16, abs=0.005)
    taken = np.isin(numbers, found.keys[:, 2].astype(int))
    assert np.corrcoef(taken[1:], taken[:-1])[0, 1] == pytest.approx(0, abs=0.02)  # neighbours are no friends
    others = (
        hashed(7, "sample", 3, numbers),
        hashed(8, "sample", 2, numbers),
        hashed(7, "held out", 2, numbers),
    )
    for other in others:
        assert np.corrcoef(priority.astype(float), other.astype(float))[0, 1] == pytest.approx(0, abs=0.02)


def test_many_samples_are_fair() -> None:
    """Over seeds every row of a stream of three parts is kept as often as any other."""
    kept = np.zeros(90)
    for seed in range(400):
        samples = [Sample.of(20, seed, part, np.arange(30), {}) for part in range(3)]
        found = samples[0].plus(samples[1]).plus(samples[2])
        kept[(found.keys[:, 1] * np.uint64(30) + found.keys[:, 2]).astype(int)] += 1
    assert kept.sum() == 20 * 400
    spread = np.sqrt(400 * (20 / 90) * (70 / 90))
    assert np.abs(kept - 400 * 20 / 90).max() < 4 * spread


def test_moments_by_numpy() -> None:
    rows = RNG.standard_normal((300, 4)) * [1, 1e-6, 1e6, 0] + [0, 1, 1e7, 3]
    parts = [Moments.of(part) for part in np.array_split(rows, [0, 1, 17, 200])]
    found = parts[0]
    for part in parts[1:]:
        found = found.plus(part)
    assert found.n == 300
    assert found.mean == pytest.approx(rows.mean(axis=0), rel=1e-12)
    assert found.covariance == pytest.approx(np.cov(rows[:, :3], rowvar=False), rel=1e-9)
    assert found.correlation[:3, :3] == pytest.approx(np.corrcoef(rows[:, :3], rowvar=False), abs=1e-9)
    assert (found.correlation[3] == 0).all()


def test_counts_by_loops() -> None:
    ranges = np.array([[-1.0, 1.0]] * 5)
    found = Counts.of(CODES[:200], FACTORS[:200].astype(float), ranges, 4).plus(
        Counts.of(CODES[200:], FACTORS[200:].astype(float), ranges, 4)
    )
    for i in range(5):
        outside = sum(code < -1 or code > 1 for code in CODES[:, i])
        assert found.outside[i] == outside
        for j in range(3):
            slow = np.zeros((4, len(found.values[j])), dtype=int)
            for code, value in zip(CODES[:, i], FACTORS[:, j], strict=True):
                slow[min(3, max(0, int(np.floor((code + 1) / 0.5)))), list(found.values[j]).index(value)] += 1
            assert (found.tables[j][i] == slow).all()


def test_values_beyond_the_ranges_are_told() -> None:
    stream = fed(made("mig", ranges=(-1, 1)), [100])
    assert stream.outside == pytest.approx(((CODES < -1) | (CODES > 1)).mean(axis=0))
    assert made("irs").filled.size == 0
    wide = fed(made("mig", ranges=(-100, 100)), [300])
    assert wide.filled.tolist() == [len(np.unique(np.floor((code + 100) / 10))) for code in CODES.T]
    clipped = np.concatenate([CODES[:, :4].clip(-1, 1), [[-1.0] * 4, [1.0] * 4]])  # the ends are reached
    more = np.concatenate([FACTORS, FACTORS[:2]])
    found = fed(made("mig", ranges=(-1, 1)), [], clipped, more).compute()["mig"]
    assert found == pytest.approx(distaff.metrics.mig(clipped, more), abs=1e-9)
    assert made("irs").outside.size == 0


def test_reset_and_state() -> None:
    stream = fed(made(["mig", "linear_r2", "irs"], sample=50, part=4), [77])
    expected = stream.compute()
    again = made(["mig", "linear_r2", "irs"], sample=50, part=4)
    again.load(stream.state())
    assert again.compute() == expected
    for each in (stream, again):
        each.update(CODES[:9], FACTORS[:9])
    assert again.compute() == stream.compute()
    stream.reset()
    assert stream.rows == 0
    assert stream.state() == {}
    assert stream.compute() == {}
    assert stream.reasons["mig"] == "at least 2 rows are needed, got 0"
    assert fed(stream, [5]).compute() == pytest.approx(expected, abs=1e-9)


def test_what_has_no_value_says_why_and_constant_factors_are_left_out() -> None:
    factors = np.concatenate([FACTORS[:, :1], np.full((600, 1), 5)], axis=1)
    stream = fed(made(["mig", "modularity", "linear_r2", "irs", "udr", "mig_exact"]), [3], factors=factors)
    found = stream.compute()
    assert found["mig"] == pytest.approx(distaff.metrics.mig(CODES, FACTORS[:, 0]))
    assert found["irs"] == distaff.metrics.irs(CODES, FACTORS[:, 0])
    assert "factors that vary, got 1" in stream.reasons["modularity"]
    assert "mates" in stream.reasons["udr"]
    assert "logvar" in stream.reasons["mig_exact"]
    assert stream.compute().keys() == {
        "mig",
        "irs",
        "linear_r2.factors_from_codes",
        "linear_r2.codes_from_factors",
    }


def test_what_metrics_need_besides_factors_is_sampled() -> None:
    logvar, mate = np.full(CODES.shape, -3.0), CODES[:, ::-1] + 0.1
    stream = made(["mig_exact", "udr"])
    for part in (slice(0, 200), slice(200, 600)):
        stream.update(CODES[part], FACTORS[part], logvar=logvar[part], mates=[mate[part]])
    found = stream.compute()
    assert found["udr"] == distaff.metrics.udr(CODES, [mate], logvar=None)
    assert found["mig_exact"] == distaff.metrics.mig_exact(CODES, FACTORS, logvar)


def test_codes_alone_frames_and_tensors() -> None:
    import pandas as pd
    import torch

    name = "gaussian_total_correlation"
    codes = CODES[:, :4]
    found = fed(made(name), [5], codes, None).compute()[name]
    assert found == pytest.approx(distaff.metrics.gaussian_total_correlation(codes))
    stream = made("mig")
    stream.update(torch.tensor(CODES[:300], requires_grad=True), torch.tensor(FACTORS[:300]))
    stream.update(CODES[300:], pd.DataFrame(FACTORS[300:], columns=["a", "b", "c"]))
    assert stream.compute() == pytest.approx(own("mig"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metrics": "migg"}, "unknown metric 'migg'; did you mean 'mig'"),
        ({"metrics": []}, "needs at least one metric"),
        ({"metrics": {"mig": {"bin": 3}}}, "unknown setting of mig in a stream 'bin'; did you mean 'bins'"),
        ({"metrics": {"mig": {"bins": 1}}}, "bins=1 is not allowed"),
        ({"metrics": {"mig": {"bins": "zeros"}}}, "bins='zeros' is not allowed; .* or 'zero_quantile'"),
        ({"metrics": {"linear_r2": {"test": 1}}}, "unknown setting of linear_r2 in a stream 'test'"),
        ({"ranges": (1, -1)}, r"ranges=\[1, -1\] is not allowed; it must be a pair \(low, high\)"),
        ({"ranges": "wide"}, "ranges=wide is not allowed"),
        ({"ranges": (0, np.inf)}, "is not allowed"),
        ({"sample": 1}, "sample=1 is not allowed"),
        ({"part": -1}, "part=-1 is not allowed"),
        ({"seed": -1}, "seed=-1 is not allowed"),
    ],
)
def test_wrong_settings(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Stream(**({"metrics": "mig", "ranges": (-1, 1)} | given))


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (CODES[:, :4], FACTORS, "codes have 4 columns, and those seen before 5"),
        (CODES, FACTORS[:, :2], "factors have 2 columns, and those seen before 3"),
        (CODES, None, "factors have 0 columns, and those seen before 3"),
        (CODES, FACTORS[:-1], "codes have 600 rows and factors 599"),
        (CODES, FACTORS + 0.5, "whole numbers are needed"),
        (CODES * np.nan, FACTORS, "NaN"),
        (csr_array(CODES), FACTORS, r"make one of each batch, codes.toarray\(\)"),
        (
            CODES,
            np.array(["red", "blue"])[FACTORS % 2],
            "holds words, which each batch would number otherwise",
        ),
    ],
)
def test_a_wrong_batch_changes_nothing(codes: Any, factors: Any, message: str) -> None:
    stream = fed(made(["mig", "irs"]), [])
    before = stream.compute()
    with pytest.raises(BadInput, match=message):
        stream.update(codes, factors)
    assert stream.compute() == before
    assert stream.rows == 600
    with pytest.raises(TypeError, match="unexpected keyword argument 'weight'"):
        stream.update(CODES, FACTORS, weight=1)


def test_what_cannot_be_merged() -> None:
    one = fed(made(["mig", "irs"]), [])
    for other, message in (
        (made("mig"), "streams of different metrics"),
        (made(["mig", "irs"], ranges=(-1, 1)), "streams of different ranges"),
        (made(["mig", "irs"], seed=4), "streams of different seed cannot be merged: 3 and 4"),
        (
            fed(made(["mig", "irs"]), []),
            "both streams saw row 0 of part 0; give each stream a part of its own",
        ),
    ):
        with pytest.raises(BadInput, match=message):
            one.merge(other)
    one.merge(made(["mig", "irs"], part=1))
    assert one.rows == 600
    with pytest.raises(BadInput, match="it must be a pair"):
        made("mig", ranges=[(-1, 1)] * 4).update(CODES, FACTORS)


def test_the_example() -> None:
    (found,) = doctest.DocTestFinder(recurse=False).find(Stream, "Stream", globs={"Stream": Stream})
    assert not doctest.DocTestRunner().run(found).failed


@pytest.mark.parametrize("name", EXACT)
def test_what_is_said_of_exactness_names_settings_that_there_are(name: str) -> None:
    exact = DECLARED[name].exact
    assert exact.of in ("counts", "moments")
    taken = inspect.signature(getattr(distaff.metrics, name)).parameters
    assert all(part.partition("=")[0] in taken for part in exact.words.split(", ") if part)
    if exact.of == "counts":
        assert "bins" in taken
    assert module.MOST == 10_000
