"""Fresh weights from a seed, without touching torch's global generator."""

from collections.abc import Callable

import torch
from torch import nn

from distaff.errors import BadInput

LARGEST = 2**28  # weights: 1 GB, and thrice that for Adam


def fresh(make: Callable[[], nn.Module], generator: torch.Generator) -> nn.Module:
    """The module that `make` builds, with Glorot-uniform weights and zero biases (as in the 2019 study)."""
    with torch.device("meta"):  # so that the layers draw no weights of their own
        module = make()
    size = sum(parameter.numel() for parameter in module.parameters())
    if size > LARGEST:
        raise BadInput(f"networks of {size:,} weights are not allowed; at most {LARGEST:,}")
    module.to_empty(device="cpu")
    for name, parameter in module.named_parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.ones_(parameter)
    return module
