"""A VAE's codes of digits against their pixels, by what is asked of a representation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from distaff.evaluation.desiderata import desiderata
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.pages.figures import Plot
from distaff.pages.images import image_grid
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run


class Scale(base.Scale, frozen=True):
    """How many seeds, and the steps of the VAE."""

    seeds: int = 2
    steps: int = 6000


class DesiderataOnDigits(Experiment[Scale]):
    """A VAE's means cluster digits better than two principal components, and its midpoints lie nearer digits.

    Desiderata of a lecture: few labels suffice, classes cluster, straight lines between codes stay on the
    data. A VAE of 10 latents (learning rate .001, batches of 64) is trained on scikit-learn's digits, 16x16;
    what it codes is judged by `distaff evaluate --desiderata`. Compared are the first two principal
    components of the pixels, as the statement has it, midpoints of pixels, and codes of the VAE's own size:
    ten principal components, and the VAE before training.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 15 seconds", seeds=1, steps=300),
        "nano": Scale("two cores, six minutes"),
        "small": Scale("two cores, ten minutes", seeds=10),
        "paper": Scale("two cores, an hour and a half", seeds=10, steps=20_000),
    }

    def runs(self, scale: Scale) -> Part:
        kinds = chain(
            product(each(name=["vae"], steps=[scale.steps]), method("vae", learning_rate=1e-3)),
            product(each(name=["untrained"], steps=[0]), method("vae")),
            product(each(name=["pca"], steps=[0]), method("pca", latents=10)),
        )
        return product(dataset("digits"), kinds, each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows = [
            {"codes": name, "seed": run.config.seed, **_row(desiderata(run, seed=run.config.seed))}
            for name, run in runs.named()
        ]
        table = lab.table("What each run gives", rows)
        _show(lab, runs["vae"][0])
        for key, values in differences(table).items():
            yield self.found(key, values)


def differences(table: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """What the claims speak of, by their keys, for each seed of a table with a row for each run."""
    vae, untrained, pca = (
        table[table["codes"] == name].set_index("seed") for name in ("vae", "untrained", "pca")
    )
    found = {"midpoints": vae["ratio"]}
    for key, name in (("knn", "k-NN"), ("silhouette", "silhouette")):
        found[f"{key}_plane"] = vae[name] - vae[f"{name}, plane"]
        found[f"{key}_untrained"] = vae[name] - untrained[name]
        found[f"{key}_pca"] = vae[name] - pca[name]
    return found


def _show(lab: Lab[Scale], run: Run) -> None:
    views = desiderata(run, seed=0)["views"]
    lab.figure("Codes of 1,000 digits in the plane by t-SNE, coloured by digit", _view(views))
    lab.figure(
        "Two digits, the decoded midpoint of their codes, the midpoint of their pixels", _midpoints(run)
    )
    lab.say(
        "Accuracies are on a held-out third of images that the VAE has seen without their labels. A decoder "
        "that blurs brings midpoints a little nearer to the data by that alone."
    )


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


def _view(views: dict[str, Any]) -> Plot:
    figure = Plot((5.6, 4.4), layout="constrained")
    ax = figure.subplots()
    x, y = np.asarray(views["tsne"]).T
    figure.numbers = pd.DataFrame({"digit": views["classes"], "x": x, "y": y})
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
