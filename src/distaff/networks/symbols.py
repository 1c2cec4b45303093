"""The networks of symbols and of what is made of them: one hidden layer."""

from torch import nn

from distaff.networks.network import Network


def perceptron(inputs: int, outputs: int, hidden: int = 100) -> nn.Module:
    """Rows (B, inputs) to (B, outputs) by one hidden layer of rectified units."""
    return Network(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
