"""What the probes of disbm read from codes that are known, and what its plan compares."""

import numpy as np

from distaff import registry
from distaff.experiments.disbm import BOTH, PAIRS, WORLDS, read
from distaff.factors import FactorSpace

SPACE = FactorSpace(("identity", "pose"), (4, 8))
ROWS = SPACE.rows(np.arange(32))
HOT = np.eye(4)[ROWS[:, 0]], np.eye(8)[ROWS[:, 1]]


def test_a_probe_reads_what_codes_tell_of_what_it_has_not_seen() -> None:
    assert read(HOT[0], ROWS[:, 0], ROWS[:, 1:]) == 1
    assert read(HOT[1], ROWS[:, 1], ROWS[:, :1]) == 1
    assert read(HOT[1], ROWS[:, 0], ROWS[:, 1:]) <= 0.25
    assert read(HOT[0], ROWS[:, 1], ROWS[:, :1]) <= 0.125


def test_a_code_of_images_that_says_nothing_of_others_is_not_read() -> None:
    """Were rows left out one by one or not at all, a code with a column for each image would be."""
    assert read(np.eye(32), ROWS[:, 0], ROWS[:, 1:]) <= 0.25
    both = np.concatenate(HOT, axis=1)
    assert read(both, ROWS[:, 0], ROWS[:, 1:]) == read(both, ROWS[:, 1], ROWS[:, :1]) == 1


def test_the_arms_differ_in_what_pairs_teach_alone() -> None:
    planned = registry.get("experiments", "disbm")().plan("nano").runs
    runs = {run.name: run for run in planned if run.seed == 0}
    assert len(runs) == 6
    for name in WORLDS:
        arms = [runs[f"{name}, {kind}"] for kind in PAIRS]
        assert len({(run.dataset, run.steps) for run in arms}) == 1
        rest = [{key: value for key, value in run.settings.items() if key not in PAIRS[BOTH]} for run in arms]
        assert rest[0] == rest[1] == rest[2]
        assert [run.made.pairs for run in arms] == ["both", "clamping", "none"]
