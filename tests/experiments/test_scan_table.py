"""What is asked of models is new to them, and the table says of rows what the claims need."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff.batches.operators import Operators
from distaff.concepts import OPERATORS
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.experiments.base import Lab
from distaff.experiments.scan_asked import KINDS, asked
from distaff.experiments.scan_table import ROWS, ScanTable, beside, published, shares


@pytest.fixture(scope="module")
def rooms() -> DataSet:
    return distaff.load_dataset("rooms", resolution=16, wall_colour=4, floor_colour=4, object_colour=3)


KIND = Operators(concepts=40, examples=3, held_out=8, pairs=30)


def test_what_is_asked_is_taught_or_new_or_made_of_pairs_that_are(rooms: DataSet) -> None:
    about = asked(KIND, rooms, 24, seed=100)
    lessons = KIND.lessons(rooms)
    assert set(about.taught) <= set(lessons.taught)
    assert len(set(about.taught)) == len(set(about.new)) == 24
    assert not set(about.new) & set(lessons.taught)
    full = [concept for concept in about.new if len(concept) == len(about.vocabulary.named)]
    assert min(len(full), len(lessons.held_out)) == len(set(full) & set(lessons.held_out)) > 0
    assert not set(about.made) & set(lessons.taught)
    assert np.bincount(about.operators).tolist() == [8, 8, 8]
    operators = list(OPERATORS.values())
    trained = {
        (*pair, number)
        for number, pairs in enumerate(KIND.paired(rooms).taught)
        for pair in map(tuple, pairs)
    }
    numbers = {concept: number for number, concept in enumerate(lessons.taught)}
    for concept, pair, number in zip(about.made, about.pairs, about.operators, strict=True):
        first, second = (about.vocabulary.concept(symbol) for symbol in pair)
        assert concept == operators[number](first, second)
        assert (numbers[first], numbers[second], number) not in trained


def test_no_operator_was_shown_what_is_made(rooms: DataSet) -> None:
    """Images of {red wall} are seen by IN COMMON also where another pair has it in common."""
    about, lessons, paired = asked(KIND, rooms, 24, seed=100), KIND.lessons(rooms), KIND.paired(rooms)
    words, shown = about.vocabulary, set()
    for (name, operator), pairs in zip(OPERATORS.items(), paired.taught, strict=True):
        before = len(shown)
        for pair in lessons.symbols[pairs]:
            shown.add(operator(*(words.concept(symbol) for symbol in pair)))
        assert len(shown) > before, name
    assert not shown & set(about.made)
    others = {concept for concept in shown if concept not in set(lessons.taught)}
    assert others, "and without asking some of these would have been tested"


def test_operators_that_saw_all_have_nothing_to_be_asked() -> None:
    data = distaff.load_dataset("rooms", resolution=16, wall_colour=2, floor_colour=2, object_colour=2)
    with pytest.raises(
        BadInput, match="pairs=0 is not allowed; they leave nothing new for operators to make"
    ):
        asked(Operators(concepts=40, examples=3), data, 24, seed=100)


def test_other_seeds_ask_other_things(rooms: DataSet) -> None:
    first, again, other = (asked(KIND, rooms, 24, seed) for seed in (100, 100, 101))
    assert first.new == again.new != other.new
    assert first.made == again.made != other.made


def rows(values: dict[str, tuple[float, ...]], number: str) -> list[dict[str, object]]:
    """Rows of two seeds whose `number` is that of each kind, the second seed's .1 more; the other is 1."""
    other = {"accuracy": "diversity", "diversity": "accuracy"}[number]
    return [
        {"model": model, "seed": seed, "agreement": 0.9, "sight": 1.0}
        | {f"{number}, {kind}": value + 0.1 * seed for kind, value in zip(KINDS, each, strict=True)}
        | {f"{other}, {kind}": 1.0 for kind in KINDS}
        for model, each in values.items()
        for seed in (0, 1)
    ]


def test_the_largest_share_of_the_three_kinds_counts() -> None:
    table = pd.DataFrame(rows({"SCAN": (0.1, 0.2, 0.3), "SCAN_R": (1.0, 0.4, 3.0)}, "diversity"))
    own, other = (table[table["model"] == model].reset_index() for model in ("SCAN", "SCAN_R"))
    assert shares(own, other) == pytest.approx([0.2 / 0.4, 0.3 / 0.5])


def test_claims_compare_scan_with_the_best_of_the_others_of_its_seed() -> None:
    values = dict.fromkeys(ROWS, (0.2, 0.2, 0.2)) | {
        "SCAN": (0.9, 0.8, 0.7),
        "SCAN_U 1": (0.5, 0.6, 0.1),
        "JMVAE": (0.5, 0.1, 0.6),
    }

    lab = Lab(Path(), ScanTable().at("nano"))
    table = pd.DataFrame(rows(values, "accuracy"))
    table.loc[(table["model"] == "JMVAE") & (table["seed"] == 1), "accuracy, operators"] = 0.1
    found = {each.claim.key: each.measured for each in ScanTable().judged_by(lab, table, [0.99, 0.97])}
    assert found["symbols"].value == pytest.approx(0.2)
    assert found["operators"].value == pytest.approx(np.mean([0.1, 0.8 - 0.3]))
    assert found["diversity"].value == pytest.approx(1)
    assert found["agreement"].value == pytest.approx(0.9)
    assert found["classifier"].value == pytest.approx(0.98)
    assert {claim.key for claim in ScanTable().claims} == found.keys()


def test_every_row_stands_beside_the_published_one() -> None:
    assert [each.model for each in published()] == list(ROWS)
    assert {(len(each.accuracy), len(each.diversity)) for each in published()} == {(3, 3)}
    table = pd.DataFrame(rows(dict.fromkeys(ROWS, (0.1, 0.2, 0.3)), "accuracy"))
    found = beside(table, "accuracy").set_index("model")
    assert found.loc["SCAN", "operators"] == pytest.approx(0.35)
    assert found.loc["SCAN", "operators, paper"] == 0.79
    found = beside(table, "diversity").set_index("model")
    assert found.loc["SCAN_R", "train"] == 1
    assert found.loc["SCAN_R", "train, paper"] == 13.17
