"""A VAE's codes of digits against their pixels, by what is asked of a representation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from distaff.evaluation.desiderata import desiderata
from distaff.experiments.base import Claim, Lab, Scale, claim, experiment
from distaff.experiments.pictures import image_grid
from distaff.training.run import Run


@experiment(
    quick=Scale("one core, 15 seconds", {"seeds": 1, "steps": 300}),
    nano=Scale("two cores, three minutes", {"seeds": 3, "steps": 2000}),
    paper=Scale("two cores, an hour", {"seeds": 10, "steps": 20_000}),
)
def desiderata_on_digits(lab: Lab) -> Iterator[Claim]:
    """A VAE's means cluster digits better than two principal components, and its midpoints lie nearer digits.

    Desiderata of a lecture: few labels suffice, classes cluster, straight lines between codes stay on the
    data. A VAE of 10 latents (learning rate .001, batches of 64) is trained on scikit-learn's digits, 16x16;
    what it codes is judged by `distaff evaluate --desiderata`. Compared are the first two principal
    components of the pixels, and midpoints of pixels.
    """
    runs = [
        lab.train(f"vae-s{seed}", "vae", "digits", lab["steps"], seed=seed, learning_rate=1e-3)
        for seed in range(lab["seeds"])
    ]
    found = [desiderata(run, seed=seed) for seed, run in enumerate(runs)]
    means = pd.DataFrame(
        [
            {
                "seed": seed,
                **{f"probe, {count} labels": value for count, value in each["linear_probe"].items()},
                "k-NN": each["knn_accuracy"],
                "k-NN, pixels' plane": each["knn_accuracy_of_pixel_plane"],
                "silhouette": each["silhouette"],
                "silhouette, pixels' plane": each["silhouette_of_pixel_plane"],
                "midpoints' distance": each["interpolation"]["latent"],
                "of pixels": each["interpolation"]["pixel"],
                "sparsity": each["sparsity"],
            }
            for seed, each in enumerate(found)
        ]
    )
    lab.table("What each seed gives", means)
    lab.figure("Codes of 1,000 digits in the plane by t-SNE, coloured by digit", _view(found[0]["views"]))
    lab.figure(
        "Rows: two digits, the decoded midpoint of their codes, the midpoint of their pixels",
        _midpoints(runs[0]),
    )
    lab.say(
        "The plane has 2 dimensions and the code 10, as the statement has it. Accuracies are on a held-out "
        "third of images that the VAE has seen without their labels. A decoder that blurs brings midpoints a "
        "little nearer to the data by that alone. At scale nano midpoints miss their bound of .8: the "
        "ratio is .81 to .82 for three seeds at 2,000 steps, and was .91 for one seed at 300."
    )
    for name in ("k-NN", "silhouette"):
        better = means[name] - means[f"{name}, pixels' plane"]
        yield claim(f"{name} of means less that of the pixels' plane", better, low=0)
    ratios = [each["interpolation"]["ratio"] for each in found]
    yield claim("distance from the data, decoded midpoints over pixel midpoints", ratios, high=0.8)


def _view(views: dict[str, list[list[float]]]) -> Figure:
    figure = Figure((5.6, 4.4), layout="constrained")
    axes = figure.subplots()
    x, y = np.asarray(views["tsne"]).T
    drawn = axes.scatter(x, y, s=9, c=views["classes"], cmap="tab10", vmin=-0.5, vmax=9.5, lw=0)
    axes.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ticks=range(10), label="digit")
    return figure


def _midpoints(run: Run) -> Figure:
    rng = np.random.default_rng(0)
    first, second = rng.choice(len(run.data), size=(2, 10), replace=False)
    images = [run.data.unit_images(index) for index in (first, second)]
    codes = [run.encode(run.data.images(index)).mean for index in (first, second)]
    decoded = run.decode((codes[0] + codes[1]) / 2)
    return image_grid(np.concatenate([*images, decoded, (images[0] + images[1]) / 2]), 10)
