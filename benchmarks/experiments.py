"""Run experiments and keep what they found for the pages of docs/findings.

    python benchmarks/experiments.py                       # all of them, about five hours on two cores
    python benchmarks/experiments.py ica_cocktail_party    # one
    python benchmarks/experiments.py locatello2019 --table benchmarks/results/locatello2019-nano.parquet
    python benchmarks/experiments.py tc_and_mig --kept     # its runs' measurements as kept, judged again
    python docs/tables.py                                  # then write the pages

Keeps benchmarks/results/experiments/NAME.json and the figures in docs/findings/NAME. What all of them leave
under runs/experiments is what `distaff experiment all --out runs/experiments` leaves there; an experiment
that has finished is run again only if it is named, with the runs that it has. With `--table` and `--kept`
nothing is trained: the table of a study's scores, or what was measured of every run, is judged again.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from distaff import registry
from distaff.errors import BadInput
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.claims import overview
from distaff.experiments.conduct import conduct, write_up
from distaff.experiments.every import conduct_all
from distaff.files import write_json
from distaff.studies.study import Study

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "runs" / "experiments"
RESULTS = ROOT / "benchmarks" / "results" / "experiments"
PAGES = ROOT / "docs" / "findings"
MEASURED = "What was measured"  # of every run, in the experiments that have `judged_by`


def main() -> None:
    """Run the experiments that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--scale", default="nano")
    parser.add_argument("--workers", type=int, help="1 where another job runs beside this one")
    parser.add_argument("--table", type=Path, help="the results.parquet of the experiment's study")
    parser.add_argument("--kept", action="store_true", help="judge what was measured and kept again")
    asked = parser.parse_args()
    how = {"workers": asked.workers, "threads": asked.workers}
    if asked.kept:
        found = [from_kept(name) for name in asked.names]
    elif asked.table:
        found = [from_table(name, asked.scale, asked.table) for name in asked.names]
    elif asked.names:
        found = [conduct(name, asked.scale, RUNS / f"{name}-{asked.scale}", **how) for name in asked.names]
    else:
        found = conduct_all(asked.scale, RUNS, **how)
    for each in found:
        keep(each)
    print(overview(found))


def from_table(name: str, scale: str, table: Path) -> dict:
    """What an experiment finds in a table of its study."""
    judge, folder = registry.get("experiments", name)(), RUNS / f"{name}-{scale}"
    study = Study(folder / "study", judge.plan(scale))
    shutil.copy(table, study.folder / "results.parquet")
    return rejudged(judge, scale, lambda lab: judge.judge(lab, Runs()))


def from_kept(name: str) -> dict:
    """What an experiment finds in the measurements of its runs that are kept."""
    judge, before = registry.get("experiments", name)(), kept(name)
    rows = before.get("tables", {}).get(MEASURED)
    if rows is None or not hasattr(judge, "judged_by"):
        raise BadInput(f"of {name} no table '{MEASURED}' is kept that can be judged again")
    return rejudged(judge, before["scale"], lambda lab: judge.judged_by(lab, pd.DataFrame(rows)))


def rejudged(judge: Experiment, scale: str, findings: Callable[[Lab], Iterable[Finding]]) -> dict:
    """What is found without training; the time and devices of the runs are those kept."""
    lab, before = Lab(RUNS / f"{judge.name}-{scale}", judge.at(scale)), kept(judge.name)
    lab.folder.mkdir(parents=True, exist_ok=True)
    found = write_up(judge, scale, lab, findings(lab), lambda: 0)
    return found | {part: before[part] for part in ("seconds", "devices") if before.get("scale") == scale}


def kept(name: str) -> dict:
    """What is kept of an experiment, or nothing."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def keep(found: dict) -> None:
    """Take over the numbers and the figures of an experiment."""
    name = found["experiment"]
    write_json(RESULTS / f"{name}.json", found)
    shutil.rmtree(PAGES / name, ignore_errors=True)
    (PAGES / name).mkdir(parents=True)
    for figure in found["figures"]:
        shutil.copy(RUNS / f"{name}-{found['scale']}" / figure["file"], PAGES / name)


if __name__ == "__main__":
    main()
