"""A VAE's codes of digits against their pixels, by what is asked of a representation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from distaff.evaluation.desiderata import desiderata
from distaff.experiments.base import Claim, Lab, claim, experiment
from distaff.experiments.pictures import image_grid
from distaff.training.run import Run


@experiment(
    takes=("one core, 15 seconds", "two cores, six minutes", "two cores, an hour"),
    seeds=(1, 2, 10),
    steps=(300, 6000, 20_000),
)
def desiderata_on_digits(lab: Lab) -> Iterator[Claim]:
    """A VAE's means cluster digits better than two principal components, and its midpoints lie nearer digits.

    Desiderata of a lecture: few labels suffice, classes cluster, straight lines between codes stay on the
    data. A VAE of 10 latents (learning rate .001, batches of 64) is trained on scikit-learn's digits, 16x16;
    what it codes is judged by `distaff evaluate --desiderata`. Compared are the first two principal
    components of the pixels, as the statement has it, midpoints of pixels, and codes of the VAE's own size:
    ten principal components, and the VAE before training.
    """
    kinds: dict[str, tuple[str, int, dict[str, Any]]] = {
        "vae": ("vae", lab["steps"], {"learning_rate": 1e-3}),
        "untrained": ("vae", 0, {}),
        "pca": ("pca", 0, {"latents": 10}),
    }
    rows, runs = [], []
    for name, (method, steps, settings) in kinds.items():
        for seed, run in enumerate(lab.runs(name, method, "digits", steps, **settings)):
            runs.append(run)
            rows.append({"codes": name, "seed": seed, **_row(desiderata(run, seed=seed))})
    table = lab.table("What each run gives", rows)
    views = desiderata(runs[0], seed=0)["views"]
    lab.figure("Codes of 1,000 digits in the plane by t-SNE, coloured by digit", _view(views))
    lab.figure(
        "Two digits, the decoded midpoint of their codes, the midpoint of their pixels", _midpoints(runs[0])
    )
    lab.say(
        "Accuracies are on a held-out third of images that the VAE has seen without their labels. A decoder "
        "that blurs brings midpoints a little nearer to the data by that alone."
    )
    vae, untrained, pca = (table[table["codes"] == name].reset_index(drop=True) for name in kinds)
    for name in ("k-NN", "silhouette"):
        yield claim(
            f"{name} of means less that of the pixels' plane", vae[name] - vae[f"{name}, plane"], low=0
        )
        yield claim(f"{name} of means less the untrained VAE's", vae[name] - untrained[name], low=0.05)
        more = vae[name] - pca[name]
        yield claim(f"{name} of means less that of ten principal components", more, low=0, judged=False)
    yield claim("distance from the data, decoded midpoints over pixel midpoints", vae["ratio"], high=0.8)


def _row(found: dict[str, Any]) -> dict[str, Any]:
    between = found["interpolation"]
    return {
        **{f"probe, {count} labels": value for count, value in found["linear_probe"].items()},
        "k-NN": found["knn_accuracy"],
        "k-NN, plane": found["knn_accuracy_of_pixel_plane"],
        "silhouette": found["silhouette"],
        "silhouette, plane": found["silhouette_of_pixel_plane"],
        "midpoints' distance": between["latent"],
        "of pixels": between["pixel"],
        "ratio": between["ratio"],
        "sparsity": found["sparsity"],
    }


def _view(views: dict[str, list[list[float]]]) -> Figure:
    figure = Figure((5.6, 4.4), layout="constrained")
    ax = figure.subplots()
    x, y = np.asarray(views["tsne"]).T
    drawn = ax.scatter(x, y, s=9, c=views["classes"], cmap="tab10", vmin=-0.5, vmax=9.5, lw=0)
    ax.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ticks=range(10), label="digit")
    return figure


def _midpoints(run: Run) -> Figure:
    rng = np.random.default_rng(0)
    first, second = rng.choice(len(run.data), size=(2, 10), replace=False)
    images = [run.data.unit_images(index) for index in (first, second)]
    codes = [run.encode(run.data.images(index)).mean for index in (first, second)]
    decoded = run.decode((codes[0] + codes[1]) / 2)
    rows = ["one", "another", "of codes", "of pixels"]
    return image_grid(np.concatenate([*images, decoded, (images[0] + images[1]) / 2]), 10, rows_are=rows)
