"""The unified scores: every matrix of codes and factors, aggregated in every way."""

from collections.abc import Iterator

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Test
from distaff.metrics.dci import completeness, disentanglement, importance_matrix, of_rows
from distaff.metrics.door import checked
from distaff.metrics.held_out import learn_and_score
from distaff.metrics.information import Bins, binned_information, entropy, gap
from distaff.metrics.modularity import of_matrix
from distaff.metrics.sap import predictability_matrix


@checked(least_codes=2, least_factors=2)
def unified_scores(
    codes: Codes,
    factors: Factors,
    *,
    bins: Bins = 20,
    learner: str = "boosting",
    test: Test = None,
    seed: int = 0,
) -> dict[str, float]:
    """Every matrix (codes by factors) with every aggregation, by the name "matrix.score".

    Locatello et al. 2020, arXiv:2010.14766, take DCI, MIG, SAP and modularity apart into a matrix
    and what is made of it, and combine them anew. Matrices, learned on the same rows: "importance" (of `dci`,
    by `learner`; the study's is "gradient_boosting"), "mutual_information" (`bins` equal bins, or
    "zero_quantile" as for `mig`),
    "predictability" (of `sap`). Aggregations: "disentanglement" and "completeness" (`dci`), "mig" (the gap
    over the factor's entropy), "sap" (the gap), "modularity"; each also for single codes or factors, as
    "mig.factor_0" or "modularity.code_2". Of the matrix as a graph whose edges are the entries of at least a
    threshold: "most_groups", the largest number of groups of codes and factors that hang together
    ("max_precision" in disentanglement_lib), "groups_area", the area under that number over all thresholds
    ("area_precision"), and "merge.0.1", the highest threshold at which factors 0 and 1 are in one group.

    `codes` (n, d) with d >= 2, `factors` (n, k) with k >= 2, whole numbers. It learns from two thirds of the
    rows (10,000 at most) and scores on the others, or on `test`, a pair of arrays.

        >>> codes, factors = [[0, 5], [1, 5], [2, 5], [3, 5]] * 20, [[0, 0], [0, 1], [1, 0], [1, 1]] * 20
        >>> found = unified_scores(codes, factors)
        >>> round(found["mutual_information.mig"], 3), found["mutual_information.most_groups"]
        (1.0, 1.0)
    """
    learn, score = learn_and_score(codes, factors, test, seed)
    given = {"test": tuple(score), "seed": seed}
    matrices = {
        "importance": importance_matrix.of_arrays(*learn, learner=learner, **given),
        "mutual_information": binned_information(*learn, bins, False).shared,
        "predictability": predictability_matrix.of_arrays(*learn, **given),
    }
    entropies = entropy(learn.factors)
    return {
        f"{name}.{key}": value
        for name, matrix in matrices.items()
        for key, value in (aggregated(matrix, entropies) | grouped(matrix)).items()
    }


def aggregated(matrix: Floats, entropies: Floats) -> dict[str, float]:
    """What is made of a matrix (d, k), non-negative, of factors with some entropies (k,)."""
    gaps, modular = gap(matrix), of_matrix(matrix)
    migs = gaps / np.where(entropies > 0, entropies, 1.0)  # a factor of one value has no gap
    return {
        "disentanglement": disentanglement(matrix),
        "completeness": completeness(matrix),
        "mig": float(migs.mean()),
        "sap": float(gaps.mean()),
        "modularity": float(modular.mean()),
        **_each("disentanglement.code", of_rows(matrix)),
        **_each("completeness.factor", of_rows(matrix.T)),
        **_each("mig.factor", migs),
        **_each("sap.factor", gaps),
        **_each("modularity.code", modular),
    }


def _each(name: str, values: Floats) -> dict[str, float]:
    return {f"{name}_{i}": float(value) for i, value in enumerate(values)}


def grouped(matrix: Floats) -> dict[str, float]:
    """What a matrix (d, k) says as a graph whose edges are its entries of at least a threshold."""
    k = matrix.shape[1]
    counts = []
    merged = {f"merge.{a}.{b}": 0.0 for a in range(k) for b in range(a + 1, k)}
    thresholds = np.unique(matrix)[::-1]
    for threshold, groups in zip(thresholds, _groups(matrix, thresholds), strict=True):
        counts.append(sum(len(group) > 1 for group in groups))
        for group in groups:
            there = sorted(-node - 1 for node in group if node < 0)
            pairs = [f"merge.{a}.{b}" for n, a in enumerate(there) for b in there[n + 1 :]]
            merged |= {pair: max(merged[pair], float(threshold)) for pair in pairs}
    area = float(-np.trapezoid(counts, thresholds))
    return {"most_groups": float(max(counts)), "groups_area": area, **merged}


def _groups(matrix: Floats, thresholds: Floats) -> Iterator[list[set[int]]]:
    """For falling thresholds the groups of codes (i) and factors (-1 - j) that such edges connect."""
    of = {node: {node} for node in [*range(len(matrix)), *(-1 - j for j in range(matrix.shape[1]))]}
    for threshold in thresholds:
        for i, j in np.argwhere((matrix == threshold) & (matrix > 0)):
            if of[int(i)] is not of[-1 - int(j)]:
                both = of[int(i)] | of[-1 - int(j)]
                of |= dict.fromkeys(both, both)
        yield list({id(group): group for group in of.values()}.values())
