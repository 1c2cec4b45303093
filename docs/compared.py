"""What other libraries return on fixed arrays, beside ours, for the page of the metrics."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from markdown_table import table

from distaff import registry
from distaff.files import read_json

ROOT = Path(__file__).parents[1]
#: our metric and its settings -> its name in tests/metrics/other_libraries.json
COMPARED = {
    "mig": ("mig", {}),
    "modularity": ("modularity", {}),
    "mig_sup": ("mig_sup", {}),
    "dcimig": ("dcimig", {}),
    "jemmig": ("jemmig", {}),
    "sap, continuous": ("sap_continuous", {"continuous": True}),
    "irs": ("irs_0.99", {}),
    "irs, quantile=1": ("irs_1.0", {"quantile": 1.0}),
    "mcc": ("mcc_spearman", {}),
    "gaussian_total_correlation": ("gaussian_total_correlation", {}),
}
OTHERS = """## What other libraries return on the same arrays

3,000 rows of factors with 3, 6, 40, 32 and 32 values. `ideal`: the factors, standardised; `mixed`: ten
codes that mix them sparsely, with noise; `dead`: those with two constant columns; `rotated`: mixed
evenly; `missing`: without the last. `grid_ideal`: standardised factors on a grid of 3, 4, 5 and 6 values,
with posterior deviations of .01. Recorded by `benchmarks/other_libraries` in
`tests/metrics/other_libraries.json`, where the fitted scores stand too; ours is computed anew.
"""


def other_libraries() -> str:
    """What other libraries return on the same arrays, beside ours."""
    record = read_json(ROOT / "tests" / "metrics" / "other_libraries.json")
    recipe = SimpleNamespace(**runpy.run_path(str(ROOT / "benchmarks" / "other_libraries" / "arrays.py")))
    rows = []
    for ours, (theirs, settings) in COMPARED.items():
        function = registry.get("metrics", ours.partition(",")[0])
        for situation in recipe.SITUATIONS:
            codes, factors = recipe.arrays(situation)
            given = {"factors": factors}
            value = function(codes, *(given[need] for need in function.declaration.needs), **settings)
            others = record["values"].get(situation, {}).get(theirs, {})
            said = "; ".join(f"{library} {_said(found)}" for library, found in sorted(others.items()))
            rows.append((f"`{ours}`", situation, f"{value:.3f}", said))
    rows.append(_on_the_grid(recipe, record))
    link = "[{0}](https://github.com/{0})".format
    libraries = [
        (name, link(library["repository"]), f"`{library['commit'][:12]}`", library["note"])
        for name, library in record["libraries"].items()
    ]
    values = table(("ours", "codes", "distaff", "others"), rows)
    return "\n".join(
        [OTHERS, values, table(("library", "repository", "commit", "how it was run"), libraries)]
    )


def _on_the_grid(recipe: SimpleNamespace, record: Any) -> tuple[str, ...]:
    _, factors = recipe.grid_arrays()
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    value = registry.get("metrics", "mig_exact")(codes, factors, np.full(codes.shape, 2 * np.log(0.01)))
    found = record["values"]["grid_ideal"]["mig"]["disentangling_vae"]
    return ("`mig_exact`", "grid_ideal", f"{value:.3f}", f"disentangling_vae {_said(found)}")


def _said(found: Any) -> str:
    if found is None:
        return "NaN"
    if isinstance(found, Mapping):
        if "error" in found:
            return "fails"
        low, high = f"{found['min']:.3f}", f"{found['max']:.3f}"
        return low if low == high else f"{low} to {high}"
    return f"{found:.3f}"
