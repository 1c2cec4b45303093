"""What each learner makes of DCI: does it agree with the study's boosting, and does it stay where it is?

python benchmarks/dci_learners.py --codes FOLDER [--learners NAME ...] [--rows N ...] [--workers N]

FOLDER/codes.npz is what benchmarks/dci_codes.py wrote. A line of benchmarks/results/dci_learners.csv is one
learner on some rows of one representation, with the process time it took; lines that are there are not made
again. Wanted of a default learner's disentanglement, over all runs and constructions:

agreement   rank correlation with the study's boosting on the same rows >= .9, mean difference <= .03
seeds       mean difference between seeds 0 and 1, which choose the rows held out as well, <= .02
rows        mean difference between 2,500 and 12,000 rows <= .05
seconds     of dSprites' factors, 12,000 rows of 10 codes, < 3 (a line whose codes are "time")

Differences are absolute. These bounds were written down before anything was measured.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from circumstances import RESULTS
from middling_codes import codes_of, rows_of

from distaff.metrics import dci
from distaff.metrics.learners import LEARNERS

OUT = RESULTS / "dci_learners.csv"
STUDY = "gradient_boosting"
FEW, ALL = 2_500, 12_000
HEADER = (
    "codes", "learner", "rows", "seed", "disentanglement", "completeness", "informativeness", "seconds",
)  # fmt: skip
Key = tuple[str, str, int, int]


def wanted(names: list[str], learners: list[str], rows: list[int]) -> Iterator[Key]:
    """Which learner sees which rows of what: another seed on the most rows, of the study's boosting none."""
    for learner in learners:
        for count in rows:
            for name in names:
                yield name, learner, count, 0
                if learner != STUDY and count == ALL:
                    yield name, learner, count, 1


def arrays_of(key: Key, arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The codes and factors of a line."""
    name, _, rows, _ = key
    if name == "time":
        return codes_of(rows_of(rows)), rows_of(rows)
    return arrays[name][:rows], arrays["factors"][:rows]


def measured(key: Key, codes: np.ndarray, factors: np.ndarray) -> tuple[object, ...]:
    """One line."""
    _, learner, _, seed = key
    start = time.process_time()
    found = dci(codes, factors, learner=learner, seed=seed)
    took = time.process_time() - start
    return (*key, *(round(value, 4) for value in found[:3]), round(took, 2))


def main() -> None:
    """Measure what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--learners", nargs="+", default=list(LEARNERS))
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--rows", nargs="+", type=int, default=[FEW, ALL])
    given = parser.parse_args()
    with np.load(given.codes / "codes.npz") as file:
        arrays = dict(file)
    there: set[Key] = set()
    if OUT.exists():
        with OUT.open(encoding="utf-8") as lines:
            there = {
                (r["codes"], r["learner"], int(r["rows"]), int(r["seed"])) for r in csv.DictReader(lines)
            }
    names = [name for name in arrays if name != "factors"]
    keys = [*wanted(names, given.learners, given.rows)]
    keys += [("time", learner, ALL, 0) for learner in given.learners if learner != STUDY]
    with OUT.open("a", encoding="utf-8", newline="") as lines, ProcessPoolExecutor(given.workers) as pool:
        out = csv.writer(lines, lineterminator="\n")
        if not there:
            out.writerow(HEADER)
        left = [pool.submit(measured, key, *arrays_of(key, arrays)) for key in keys if key not in there]
        for line in as_completed(left):
            out.writerow(line.result())
            lines.flush()


if __name__ == "__main__":
    main()
