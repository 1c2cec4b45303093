"""What people give to distaff.score: the values that an independent statement gives, and what is said."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.scoring.inputs import Inputs
from distaff.scoring.score import _too_many_codes

N = 400
RNG = np.random.default_rng(3)
FACTORS = np.stack([RNG.integers(size, size=N) for size in (3, 5)], axis=1)
CODES = FACTORS / FACTORS.std(axis=0) + 0.1 * RNG.standard_normal((N, 2))
KINDS = np.array(["ctrl", "stim", "wild"])[FACTORS[:, 0]]


def gap_of_histograms(codes: np.ndarray, factors: Sequence[Sequence[Any]]) -> float:
    """MIG from counts of (bin, value) pairs, cell by cell."""
    gaps = []
    for column in factors:
        values = {value: number for number, value in enumerate(dict.fromkeys(column))}
        shares = []
        for code in codes.T:
            width = (code.max() - code.min()) / 20
            counts = np.zeros((20, len(values)))
            for cell, value in zip(code, column, strict=True):
                counts[min(int((cell - code.min()) / width), 19), values[value]] += 1
            joint = counts / counts.sum()
            even = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
            kept = joint > 0
            p = joint.sum(0)
            shares.append((joint[kept] * np.log(joint[kept] / even[kept])).sum() / -(p * np.log(p)).sum())
        first, second = sorted(shares)[-2:]
        gaps.append(second - first)
    return float(np.mean(gaps))


def mig(codes: Any, factors: Any, **settings: Any) -> float:
    value = distaff.score(codes, factors, metrics="mig", values_only=True, **settings)["mig"].value
    assert value is not None
    return value


WANTED = gap_of_histograms(CODES, FACTORS.T)
FRAME = pd.DataFrame({"kind": KINDS, "size": FACTORS[:, 1]})

#: factors as people hold them -> all of them the same two
SAME = {
    "an array": FACTORS,
    "a frame": FRAME,
    "categories": FRAME.astype("category"),
    "objects": FRAME.astype(object),
    "an array of texts": FRAME.astype(str).to_numpy(),
    "lists of words and numbers": [[kind, size] for kind, size in FRAME.to_numpy()],
    "nullable strings": FRAME.astype({"kind": "string", "size": "Int64"}),
    "numbers as texts in categories": FRAME.astype({"size": str}).astype("category"),
    "bytes": np.array([[str(a).encode(), str(b).encode()] for a, b in FRAME.to_numpy()]),
    "other numbers": FACTORS * 7 - 3,
    "whole floats": FACTORS.astype("f4"),
    "longdouble": FACTORS.astype("g"),
    "with a constant": np.c_[FACTORS, np.ones(N)],
}


@pytest.mark.parametrize("name", SAME)
def test_factors_of_every_kind_give_the_value_of_histograms(name: str) -> None:
    assert mig(CODES, SAME[name]) == pytest.approx(WANTED, abs=1e-14)
    if name != "with a constant":  # alone, a metric says what is wrong; the card leaves the factor out
        assert distaff.metrics.mig(CODES, SAME[name]) == pytest.approx(WANTED, abs=1e-14)


# Labels of rows


@pytest.mark.parametrize("labels", [np.arange(N), [f"c{i}" for i in range(N)], np.linspace(0, 1, N)])
def test_rows_of_frames_are_paired_by_their_labels(labels: Any) -> None:
    codes, factors = pd.DataFrame(CODES, index=labels), FRAME.set_index(pd.Index(labels))
    shuffled = factors.sample(frac=1, random_state=1)
    card = distaff.score(codes, shuffled, metrics="mig", values_only=True)
    assert card["mig"].value == pytest.approx(WANTED, abs=1e-14)
    assert "rows of factors put in the order of codes, by their labels" in str(card)
    assert distaff.metrics.mig(codes, shuffled) == pytest.approx(WANTED, abs=1e-14)
    assert mig(codes, factors) == pytest.approx(WANTED, abs=1e-14)
    by_position = gap_of_histograms(CODES, shuffled.to_numpy().T)
    assert mig(codes, shuffled.to_numpy()) == pytest.approx(by_position, abs=1e-14)


def test_numbers_out_of_order_beside_rows_without_labels_are_told() -> None:
    for codes, factors in ((CODES, FRAME[::-1]), (pd.DataFrame(CODES)[::-1], FACTORS)):
        card = distaff.score(codes, factors, metrics="mig", values_only=True)
        assert "rows go by position: those of" in card.protocol["notes"][0]
    for factors in (FRAME, FRAME.set_index(pd.Index(np.arange(N) + 7)), FACTORS):
        assert distaff.score(CODES, factors, metrics="mig", values_only=True).protocol["notes"] == []


def test_a_series_and_logvar_are_paired_too() -> None:
    codes = pd.DataFrame(CODES)
    order = np.random.default_rng(0).permutation(N)
    logvar = pd.DataFrame(np.full((N, 2), -4.0) - CODES**2)
    straight = distaff.score(codes, FRAME, logvar=logvar, metrics="mig_exact", values_only=True)
    turned = distaff.score(codes, FRAME, logvar=logvar.iloc[order], metrics="mig_exact", values_only=True)
    assert straight["mig_exact"] == turned["mig_exact"]
    kind = mig(codes, FRAME["kind"].iloc[order])
    assert kind == pytest.approx(gap_of_histograms(CODES, [KINDS]), abs=1e-14)


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        (np.arange(N) + 100, "of 400 and 400 labels 300 are the same"),
        (np.arange(N) % 399, "of 400 and 400 labels 399 are the same, 1 of them repeated"),
    ],
)
def test_rows_with_other_labels_are_refused_with_the_counts(labels: Any, counts: str) -> None:
    with pytest.raises(BadInput, match=f"labelled differently: .*{counts}") as caught:
        mig(pd.DataFrame(CODES), FRAME.set_index(pd.Index(labels)))
    assert "\n" not in str(caught.value)


def test_rows_that_are_only_counted_go_by_the_position_of_those_with_names() -> None:
    named = FRAME.set_index(pd.Index([f"c{i}" for i in range(N)]))
    for codes, factors in ((pd.DataFrame(CODES), named), (pd.DataFrame(CODES, named.index), FRAME)):
        card = distaff.score(codes, factors, metrics="mig", values_only=True)
        assert card["mig"].value == pytest.approx(WANTED, abs=1e-14)
        assert "are only counted, and have no names" in card.protocol["notes"][0]
    for rows in (pd.DataFrame(CODES)[:-1], pd.DataFrame(CODES)[::-1]):  # fewer, or not in order
        with pytest.raises(BadInput):
            mig(rows, named)


def test_repeated_labels_in_the_same_order_are_fine() -> None:
    labels = np.arange(N) // 2
    assert mig(pd.DataFrame(CODES, index=labels), FRAME.set_index(labels)) == pytest.approx(WANTED, abs=1e-14)


# Missing values


def test_missing_values_are_named_and_can_be_dropped() -> None:
    broken = FRAME.copy()
    broken.loc[[3, 8], "kind"] = None
    codes = CODES.copy()
    codes[20, 1] = np.nan
    with pytest.raises(
        BadInput, match=r"factors, row 3, row 8: no value for 'kind'; .*missing='drop' .--missing drop"
    ):
        mig(CODES, broken)
    rest = np.delete(np.arange(N), [3, 8, 20])
    card = distaff.score(codes, broken, metrics="mig", values_only=True, missing="drop")
    assert card["mig"].value == pytest.approx(gap_of_histograms(CODES[rest], FACTORS[rest].T), abs=1e-14)
    assert "3 of 400 rows left out, in which a value is missing" in str(card)
    assert card.protocol["rows"] == 397
    with pytest.raises(BadInput, match=r"unknown way with missing values 'skip'\. Allowed: error, drop"):
        mig(codes, broken, missing="skip")
    with pytest.raises(BadInput, match="no row has all values: codes, column 0 lacks 400; leave the column"):
        mig(np.full((N, 2), np.nan), FACTORS, missing="drop")


def test_na_as_a_word_and_as_nothing() -> None:
    frame = FRAME.copy()
    frame.loc[frame["kind"] == "wild", "kind"] = "NA"
    with pytest.raises(BadInput, match=r"no value for 'kind' \('NA'\); .*words=\['kind'\] \(--words kind\)"):
        mig(CODES, frame)
    assert mig(CODES, frame, words=["kind"]) == pytest.approx(WANTED, abs=1e-14)
    rest = np.flatnonzero(FACTORS[:, 0] != 2)
    dropped = gap_of_histograms(CODES[rest], FACTORS[rest].T)
    assert mig(CODES, frame, missing="drop") == pytest.approx(dropped, abs=1e-14)


# Words and numbers


def test_words_without_an_order_have_no_mcc() -> None:
    given = {"metrics": ["mcc", "irs", "mig"], "values_only": True}
    card = distaff.score(CODES, FRAME, **given)
    assert card["mcc"].value is None
    assert "reads factors as numbers, and words have no order" in card["mcc"].reason
    assert card["irs"].value is not None  # 3 values, each a group of its own
    numbers = distaff.score(CODES, FACTORS, **given)["mcc"]
    for ordered in (
        distaff.score(CODES, FRAME, order={"kind": ["ctrl", "stim", "wild"]}, **given),
        distaff.score(
            CODES, FRAME.astype({"kind": pd.CategoricalDtype(["ctrl", "stim", "wild"], True)}), **given
        ),
    ):
        assert ordered["mcc"].value == pytest.approx(numbers.value, abs=1e-12)
    with pytest.raises(
        BadInput, match="mcc reads factors as numbers, and the words of factor 'kind' have no order"
    ):
        distaff.metrics.mcc(CODES, FRAME)


def test_words_of_many_values_have_no_irs() -> None:
    many = np.array([f"w{i}" for i in range(30)])[np.random.default_rng(0).integers(30, size=N)]
    card = distaff.score(CODES, many, metrics=["irs"], values_only=True)
    assert "words have no order" in card["irs"].reason
    with pytest.raises(BadInput, match="irs reads factors as numbers, and the words of factor column 0"):
        distaff.metrics.irs(CODES, many)


def test_some_factors_may_be_real_numbers() -> None:
    angle = CODES[:, 0] * 2 + 0.5
    frame = FRAME.assign(angle=angle)
    binned = np.minimum(((angle - angle.min()) / ((angle.max() - angle.min()) / 20)).astype(int), 19)
    wanted = gap_of_histograms(CODES, [KINDS, FACTORS[:, 1], binned])
    assert mig(CODES, frame, continuous=["angle"]) == pytest.approx(wanted, abs=1e-12)
    assert distaff.metrics.mig(CODES, frame, continuous=["angle"]) == pytest.approx(wanted, abs=1e-12)
    card = distaff.score(
        CODES, frame, continuous=["angle"], metrics=["sap", "dci", "beta_vae_score"], values_only=True
    )
    assert card.protocol["continuous"] == ["angle"]
    assert "angle (real)" in str(card)
    assert "whole numbers" in card["beta_vae_score"].reason
    squared = np.corrcoef(CODES[:, 1], angle)[0, 1] ** 2
    matrix = distaff.metrics.predictability_matrix(CODES, frame, continuous=["angle"])
    assert matrix[:, 2] == pytest.approx([1.0, squared], abs=1e-12)
    assert (matrix[:, :2] == distaff.metrics.predictability_matrix(CODES, FACTORS)).all()


# Factors that say nothing


def test_a_single_value_is_left_out_with_its_name() -> None:
    card = distaff.score(CODES, FRAME.assign(batch="b1"), metrics="mig", values_only=True)
    assert card.protocol["left out"] == {"batch": "a single value"}
    assert "left out: batch (a single value)" in str(card)
    assert card["mig"].value == pytest.approx(WANTED, abs=1e-14)
    with pytest.raises(BadInput, match="factor 'batch' has a single value, b1, and no other factor is left"):
        mig(CODES, pd.DataFrame({"batch": ["b1"] * N}))
    with pytest.raises(BadInput, match="factor 'batch' has a single value, 1; drop that column"):
        distaff.metrics.mig(CODES, FRAME.assign(batch=1))


def test_codes_alone_have_the_scores_that_need_no_factors() -> None:
    needs_none = [m for m in registry.names("metrics") if registry.get("metrics", m).declaration.needs == ()]
    alone, card = distaff.score(CODES), distaff.score(CODES, FACTORS, metrics=["mig", *needs_none])
    assert list(alone) == needs_none
    assert needs_none
    for name in alone:
        assert alone[name].value == card[name].value
        assert (alone[name].low, alone[name].high) == (card[name].low, card[name].high)
    assert distaff.score(CODES, metrics="mig")["mig"].reason == "not applicable: it needs factors"


# Failures


def test_a_card_never_dies_of_one_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    real = registry.get("metrics", "modularity")

    def broken(codes: Any, factors: Any) -> float:
        raise ZeroDivisionError("oh\ndear")

    def fickle(codes: Any, factors: Any) -> float:
        if len(codes) < N:
            raise IndexError("halves")
        return 0.5

    for function, has_value in ((broken, False), (fickle, True)):
        function.__name__, function.declaration = "modularity", real.declaration  # type: ignore[attr-defined]
        function.of_arrays = function  # type: ignore[attr-defined]
        monkeypatch.setattr(
            registry, "get", lambda kind, name, f=function: f if name == "modularity" else GET(kind, name)
        )
        card = distaff.score(CODES, FACTORS, metrics=["mig", "modularity"])
        assert card["mig"].value == pytest.approx(WANTED, abs=1e-14)
        assert (card["modularity"].value is not None) == has_value
        assert list(card.failed) == ["modularity"]
        assert card["modularity"].reason in (
            "failed: ZeroDivisionError: oh dear",
            "failed: IndexError: halves",
        )
        monkeypatch.undo()
        assert distaff.score(CODES, FACTORS, metrics=["mig"]).failed == {}


GET = registry.get


# Many codes


def test_what_grows_with_the_square_of_many_codes_is_left_out_and_named() -> None:
    codes = np.random.default_rng(0).standard_normal((60, 501))
    card = distaff.score(codes, FACTORS[:60, :1], values_only=True)
    squares = [m for m in card if registry.get("metrics", m.split(".")[0]).declaration.grows > 1]
    assert "code_mutual_information" in squares
    assert all("left out: 501 codes take about" in card[m].reason for m in squares)
    asked = distaff.score(codes, FACTORS[:60, :1], metrics=["code_mutual_information"], values_only=True)
    assert asked["code_mutual_information"].value is not None
    few = distaff.score(codes[:, :500], FACTORS[:60, :1], values_only=True)
    assert few["code_mutual_information"].value is not None


def test_what_takes_long_on_very_many_codes_is_left_out_and_named() -> None:
    inputs = Inputs(np.zeros((2000, 16_384)))
    left_out = _too_many_codes(["mig", "dci", "code_mutual_information"], inputs, True)
    assert left_out.keys() == {"dci", "code_mutual_information"}
    assert "16,384 codes take about 8 minutes; --metric dci or --all" in left_out["dci"].reason
    few = Inputs(np.zeros((2000, 1000)))
    assert _too_many_codes(["mig", "dci"], few, True) == {}


def test_help_shows_what_may_be_given() -> None:
    shown = inspect.signature(distaff.score).parameters
    assert {
        "codes",
        "factors",
        "metrics",
        "names",
        "continuous",
        "missing",
        "logvar",
        "mates",
    } <= shown.keys()


@pytest.mark.parametrize("name", ["mig", "mcc", "dci"])
def test_a_metric_without_its_factors_says_so(name: str) -> None:
    metric = registry.get("metrics", name)
    with pytest.raises(BadInput, match="factors are None"):
        metric(CODES, None)
    with pytest.raises(TypeError, match=rf"{name}\(\) missing a required argument: 'factors'"):
        metric(CODES)


def test_posteriors_of_mates_belong_to_them() -> None:
    logvar = np.zeros(CODES.shape)
    for given in ([logvar], [logvar, logvar[:, :1]]):
        with pytest.raises(BadInput, match="mates_logvar have shapes"):
            distaff.metrics.udr(CODES, [CODES, CODES], logvar=logvar, mates_logvar=given)
