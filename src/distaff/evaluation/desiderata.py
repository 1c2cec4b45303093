"""Judging a representation by what is asked of one: labels needed, clusters, interpolation, sparsity."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput, unknown
from distaff.files import read_json, read_kept, write_json
from distaff.metrics.arrays import check_codes, check_pair, usable_factors
from distaff.metrics.downstream import downstream
from distaff.metrics.held_out import learn_and_score
from distaff.metrics.threads import one_thread, quiet
from distaff.settings import whole_number
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

FILE = "desiderata.json"
ROWS = 3_000  # images that are judged
DRAWN = 1_000  # points of a view
NEIGHBOURS = 5
PAIRS = 500


def desiderata(
    run: Run | str | os.PathLike[str], *, label: str | None = None, seed: int = 0
) -> dict[str, Any]:
    """Judge a run's mean codes as a representation, and keep what was found in its folder.

    `label` names the semantic class, by default the first label that can be scored. 3,000 images are drawn
    by `seed`. The first two principal components of the pixels stand beside the codes for comparison. A
    number that cannot be had is None: interpolation without a decoder, a probe with more labels than rows.
    """
    run = run if isinstance(run, Run) else load_run(run)
    seed = whole_number("seed", seed, 0)
    rng = np.random.default_rng(seed)
    index = np.sort(rng.choice(len(run.data), size=min(ROWS, len(run.data)), replace=False))
    labels = run.data.labels(index)
    if labels is None:
        raise BadInput(f"{run.data.name} has no labels, and the desiderata are judged by labels")
    usable, left_out = usable_factors(labels, run.data.label_names)
    names = [run.data.label_names[j] for j in usable]
    if not names:
        raise BadInput(f"no label of {run.data.name} can be scored: {left_out}")
    if label is not None and label not in names:
        raise unknown("label", label, names)
    label = label or names[0]
    classes = labels[:, run.data.label_names.index(label)]
    with only_one(run.folder), run.threads():
        images = run.data.unit_images(index)
        codes = run.encode(run.data.images(index), seed).mean.astype(np.float64)
        plane = principal_components(images.reshape(len(images), -1), seed)
        probe = downstream(codes, labels[:, usable], learners=["logistic_regression"], sizes=(10, 100, 1000),
                           seed=seed)  # fmt: skip
        between = None
        with contextlib.suppress(BadInput):  # no decoder, or too few images
            between = interpolation(run.decode, codes, images, seed)
        shown = np.sort(rng.choice(len(index), size=min(DRAWN, len(index)), replace=False))
        found: dict[str, Any] = {
            "label": label,
            "rows": len(index),
            "seed": seed,
            "linear_probe": {"10": probe.lr10, "100": probe.lr100, "1000": probe.lr1000},
            "knn_accuracy": knn_accuracy(codes, classes, seed),
            "silhouette": silhouette(codes, classes),
            "knn_accuracy_of_pixel_plane": knn_accuracy(plane, classes, seed),
            "silhouette_of_pixel_plane": silhouette(plane, classes),
            "interpolation": between,
            "sparsity": hoyer_sparsity(codes),
            "views": {
                "classes": [int(each) for each in classes[shown]],
                "pca": principal_components(codes, seed)[shown].round(4).tolist(),
                "tsne": tsne(codes[shown], seed).round(3).tolist(),
            },
        }
        write_json(run.folder / FILE, found)
    return found


def read_desiderata(run: Run) -> dict[str, Any] | None:
    """What `desiderata` kept in a run folder, or None."""
    return read_kept(run.folder / FILE, _read, "--desiderata")


def _read(path: Path) -> dict[str, Any]:
    found = read_json(path)
    needed = {"label", "linear_probe", "knn_accuracy", "silhouette", "interpolation", "sparsity", "views"} | {
        "knn_accuracy_of_pixel_plane", "silhouette_of_pixel_plane"
    }  # fmt: skip
    if not isinstance(found, dict) or not needed <= found.keys():
        raise BadInput(f"it lacks some of {', '.join(sorted(needed))}")
    return found


class Line(NamedTuple):
    """A number: what it is, its value, that of the pixels' plane (– where there is none), and its meaning."""

    name: str
    value: str
    plane: str
    meaning: str


def lines(found: dict[str, Any]) -> list[Line]:
    """What was found, in words and numbers."""
    label, accuracy = found["label"], "accuracy, 0..1, higher is better"
    between = "distance from the data of decoded midpoints over that of pixel midpoints; good below 1"
    apart = "-1..1, higher is better"
    rows = [
        *((f"linear probe, {count} labels", n, None, accuracy) for count, n in found["linear_probe"].items()),
        (f"k-NN of {label}", found["knn_accuracy"], found["knn_accuracy_of_pixel_plane"], accuracy),
        (f"silhouette of {label}", found["silhouette"], found["silhouette_of_pixel_plane"], apart),
        ("interpolation", (found["interpolation"] or {}).get("ratio"), None, between),
        ("sparsity of codes", found["sparsity"], None, "Hoyer's, 0..1; 1: one latent an image"),
    ]
    return [Line(name, _number(value), _number(plane), meaning) for name, value, plane, meaning in rows]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def knn_accuracy(codes: ArrayLike, classes: ArrayLike, seed: int = 0) -> float:
    """Accuracy of the 5-nearest-neighbours rule (Cover and Hart 1967) on a held-out third, 0..1.

    doi:10.1109/TIT.1967.1053964. `codes` (n, d), Euclidean distances in the codes' own scale; `classes` (n,).
    Higher is better; noise scores about the share of the commonest class or less.
    """
    from sklearn.neighbors import KNeighborsClassifier

    points, table = check_pair(codes, np.asarray(classes).reshape(-1, 1))
    learn, held = learn_and_score(points, table, None, seed)
    with quiet(), one_thread():
        model = KNeighborsClassifier(min(NEIGHBOURS, len(learn.codes))).fit(learn.codes, learn.factors[:, 0])
        return float(model.score(held.codes, held.factors[:, 0]))


def silhouette(codes: ArrayLike, classes: ArrayLike) -> float | None:
    """Mean silhouette of classes (Rousseeuw 1987): (b - a) / max(a, b), -1..1, higher is better.

    doi:10.1016/0377-0427(87)90125-7. a is a row's mean distance to its own class, b to the nearest other
    class; 0 where classes overlap. None where every row is a class of its own.
    """
    from sklearn.metrics import silhouette_score

    points, table = check_pair(codes, np.asarray(classes).reshape(-1, 1))
    if len(np.unique(table)) == len(table):
        return None
    with one_thread():
        return float(silhouette_score(points, table[:, 0]))


def hoyer_sparsity(codes: ArrayLike) -> float | None:
    """Mean over rows of (sqrt(d) - |z|_1 / |z|_2) / (sqrt(d) - 1) (Hoyer 2004, section 3.1), 0..1.

    arXiv:cs/0408058. 1 where a single latent differs from 0, 0 where all are of one magnitude. Rows of zeros
    are left out. None with one latent, or zeros alone.
    """
    table = check_codes(codes).astype(np.float64)
    table = table[np.abs(table).max(axis=1) > 0]
    d = table.shape[1]
    if d < 2 or not len(table):
        return None
    table = table / np.abs(table).max(axis=1, keepdims=True)  # so that no square underflows
    ratios = np.abs(table).sum(axis=1) / np.sqrt((table**2).sum(axis=1))
    return float(np.clip((np.sqrt(d) - ratios) / (np.sqrt(d) - 1), 0, 1).mean())


def interpolation(
    decode: Callable[[NDArray[Any]], NDArray[Any]], codes: NDArray[Any], images: NDArray[Any], seed: int = 0
) -> dict[str, float]:
    """How near the data linear interpolations are (after Bengio et al. 2013, "Better mixing", section 3).

    arXiv:1207.4404. Of 500 random pairs of images (n, C, H, W) in 0..1: the mean Euclidean distance, in
    pixels, from an image of the data to `latent`, the decoded midpoint of the pair's codes, and to `pixel`,
    the midpoint of the pair itself, both to the nearest image that is neither of the pair. Their `ratio` is
    at least 0 and good below 1. A decoder that blurs gains by it a little.
    """
    if len(images) < 3:
        raise BadInput(f"interpolation needs at least 3 images, got {len(images)}")
    rng = np.random.default_rng(seed)
    pairs = np.array([rng.choice(len(images), size=2, replace=False) for _ in range(PAIRS)])
    flat = images.reshape(len(images), -1)
    between = {
        "latent": np.asarray(decode(codes[pairs].mean(axis=1))).reshape(PAIRS, -1),
        "pixel": flat[pairs].mean(axis=1),
    }
    found = {name: _nearest(points, flat, pairs) for name, points in between.items()}
    return found | {"ratio": found["latent"] / found["pixel"] if found["pixel"] else 1.0}


def _nearest(points: NDArray[Any], data: NDArray[Any], pairs: NDArray[np.int64]) -> float:
    """The mean distance of points (m, p) to the nearest row of data (n, p) that is not of their pair."""
    from sklearn.metrics import pairwise_distances

    distances = pairwise_distances(points.astype(np.float64), data)
    np.put_along_axis(distances, pairs, np.inf, axis=1)
    return float(distances.min(axis=1).mean())


def principal_components(points: NDArray[Any], seed: int = 0) -> NDArray[np.float64]:
    """The first two principal components (n, 2) of points (n, p); of a single column, it and zeros."""
    from sklearn.decomposition import PCA

    with one_thread():
        found = PCA(min(2, *points.shape), random_state=seed).fit_transform(points.astype(np.float64))
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))


def tsne(points: NDArray[Any], seed: int = 0) -> NDArray[np.float64]:
    """t-SNE (van der Maaten and Hinton 2008) of points (n, d) in the plane, perplexity 30 or n/4.

    JMLR 9:2579.
    """
    from sklearn.manifold import TSNE

    model = TSNE(perplexity=min(30.0, len(points) / 4), init="random", random_state=seed)
    with one_thread():
        return np.asarray(model.fit_transform(points.astype(np.float64)), dtype=np.float64)
