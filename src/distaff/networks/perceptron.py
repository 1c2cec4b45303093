"""A network of one hidden layer, for symbols and other vectors."""

from torch import nn

from distaff.networks.network import Network

HIDDEN = 100  # between symbols and latents, as SCAN has them (Higgins et al. 2018, arXiv:1707.03389)


def perceptron(inputs: int, outputs: int, hidden: int = HIDDEN) -> nn.Module:
    """Vectors (B, inputs) to (B, outputs), by a hidden layer of ReLU."""
    return Network(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
