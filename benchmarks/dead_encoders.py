"""Why does DIP-VAE-II die? Are the units of its encoder dead, and is the size of its steps the reason?

    python benchmarks/dead_encoders.py                # both kinds, half an hour of a core
    python benchmarks/dead_encoders.py "steps of 5e-4"   # one; rows of the other stay

mechanisms at scale small: at steps of 1e-3 the KL of DIP-VAE-II is 0 in three of six seeds, and stays so. Its
runs, looked at afterwards, have no unit of the third layer above 0 for any image where the KL is 0, and a
quarter or more where it is not: a ReLU that is 0 everywhere passes no gradient, and all in front of it stands
still. Here the six are trained again, and with half the steps' size. Predicted before these ran: were large
first steps what kills the layer, at 5e-4 no seed of the six has a KL below 1 nat, and the third layer's share
of units above 0 is .1 or more in each.

Writes benchmarks/results/dead_encoders.csv: KL in nats, and the share of units above 0 after each layer of
the encoder, over 256 images.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import torch
from circumstances import RESULTS, keep_table
from torch import nn

import distaff
from distaff.experiments.mechanisms import Mechanisms
from distaff.training.run import Run

SMALL = Mechanisms.scales["small"]
KINDS = {"steps of 1e-3": 1e-3, "steps of 5e-4": 5e-4}
FILE = "dead_encoders.csv"
IMAGES = 256


def rows(kinds: Collection[str]) -> Iterator[dict[str, Any]]:
    """The lines of the table that are of these kinds."""
    squares = distaff.load_dataset(
        "dsprites", resolution=SMALL.resolution, shape=1, orientation=1, x=SMALL.places, y=SMALL.places
    )
    for kind in kinds:
        for seed in SMALL.numbered:
            with tempfile.TemporaryDirectory() as folder:
                run = distaff.train(
                    "dip_vae_ii",
                    squares,
                    seed=seed,
                    steps=SMALL.steps,
                    learning_rate=KINDS[kind],
                    out=folder,
                    show=False,
                )
                yield {"kind": kind, "seed": seed, "kl": run.history()[-1]["kl"], **above_zero(run)}


def above_zero(run: Run) -> dict[str, float]:
    """The share of units above 0 after every ReLU of the encoder, over images and units."""
    some = np.random.default_rng(0).choice(len(run.data), IMAGES, replace=False)
    found: dict[str, float] = {}

    def look(number: int) -> Any:
        def hook(_module: nn.Module, _inputs: Any, values: torch.Tensor) -> None:
            found[f"layer {number}"] = float((values > 0).float().mean())

        return hook

    layers = [layer for layer in run.modules["encoder"].modules() if isinstance(layer, nn.ReLU)]
    hooks = [layer.register_forward_hook(look(number)) for number, layer in enumerate(layers, 1)]
    run.encode(run.data.images(some))
    for each in hooks:
        each.remove()
    return found


def main() -> None:
    """Measure the kinds that are named, or all; rows of others stay as they were kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of: {', '.join(KINDS)}")
    kinds = parser.parse_args().kinds or list(KINDS)
    kept = pd.read_csv(RESULTS / FILE) if (RESULTS / FILE).exists() else pd.DataFrame({"kind": []})
    others: list[Any] = kept[~kept["kind"].isin(kinds)].to_dict("records")
    keep_table(FILE, chain(others, rows(kinds)))


if __name__ == "__main__":
    main()
