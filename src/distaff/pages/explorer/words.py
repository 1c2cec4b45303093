"""The words that concepts are made of in the page, and the network that makes codes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from distaff.evaluation.concepts.imagined import lessons_of
from distaff.pages.explorer.layers import packed, rounded
from distaff.training.run import Run


def words(run: Run) -> tuple[dict[str, Any], bytes]:
    """The attributes with their words, as the scripts have them, and the weights of the symbol encoder.

    A word has its column in a symbol of the given size, whose other columns stay 0; `said` has for every
    column its word as it is said without its attribute.
    """
    vocabulary = lessons_of(run).vocabulary
    columns = iter(range(len(vocabulary.values)))
    attributes = [
        {
            "name": attribute.replace("_", " "),
            "words": [
                {"column": next(columns), "name": word.replace("_", " ")} for word in vocabulary.of(attribute)
            ],
        }
        for attribute in vocabulary.named
    ]
    said = [vocabulary.describe([value]) for value in vocabulary.values]
    network = packed(run.method.encoding_symbols(run.modules))
    made = {"size": sum(run.facts.words), "attributes": attributes, "said": said, "layers": network.layers}
    return made, network.weights


@torch.inference_mode()
def moved(run: Run) -> float:
    """How far a mean or sigma of a taught concept moves as the symbol encoder becomes half precision."""
    symbols = lessons_of(run).symbols
    encoder = nn.Sequential(*run.method.encoding_symbols(run.modules))
    made = rounded(nn.ModuleDict({"encoder": encoder})).cpu().float()["encoder"](torch.from_numpy(symbols))
    mean, logvar = made.numpy()[:, : run.code_size], made.numpy()[:, run.code_size :]
    codes = run.encode_symbols(symbols)
    apart = (mean - codes.mean, np.exp(logvar / 2) - np.exp(codes.logvar / 2))
    return float(np.abs(apart).max())
