"""QLAE: the nearest values, straight-through gradients, every term and the weight decay, by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Loss
from distaff.methods.qlae import QLAE, Quantiser
from distaff.methods.state import State
from distaff.methods.terms import negative_log_likelihood

N, D, V, PIXELS = 5, 3, 4, 16 * 16
METHOD = QLAE(latents=D, values=V, quantisation=0.3, commitment=0.07)


def images() -> Tensor:
    return torch.rand((N, 1, 16, 16), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def fresh_state(method: QLAE = METHOD) -> State:
    """A state in double precision, whose values are no longer evenly spread."""
    state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
    state.modules.double()
    values = state.modules["quantiser"].values
    values.data += 0.05 * torch.randn(values.shape, generator=torch.Generator().manual_seed(2))
    return state


def loss_of(modules: nn.ModuleDict, method: QLAE = METHOD) -> Loss:
    return method.loss(modules, Batch(images(), 100), torch.Generator())


def by_hand(outputs: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value nearest to each output (N, D), and which of its latent's values that is."""
    nearest = np.zeros(outputs.shape, dtype=int)
    for i, j in np.ndindex(outputs.shape):
        distances = [abs(outputs[i, j] - value) for value in values[j]]
        nearest[i, j] = distances.index(min(distances))
    return np.array([[values[j, nearest[i, j]] for j in range(D)] for i in range(len(outputs))]), nearest


def parts(modules: nn.ModuleDict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs (N, D), their nearest values (N, D), and which those are."""
    outputs = modules["encoder"](images()).detach().numpy()
    return outputs, *by_hand(outputs, modules["quantiser"].values.detach().numpy())


def test_values_begin_evenly_spread_in_every_latent() -> None:
    values = Quantiser(3, 10).values.detach()
    assert values.shape == (3, 10)
    np.testing.assert_allclose(values, [[-0.5 + k / 9 for k in range(10)]] * 3, rtol=1e-5)


def test_every_output_snaps_to_the_nearest_value_of_its_own_latent() -> None:
    quantiser = Quantiser(D, V).double()
    rng = np.random.default_rng(0)
    quantiser.values.data = torch.tensor(rng.standard_normal((D, V)))
    outputs = 2 * rng.standard_normal((200, D))
    expected, nearest = by_hand(outputs, quantiser.values.detach().numpy())
    np.testing.assert_array_equal(quantiser(torch.tensor(outputs)).detach(), expected)
    assert all(set(column) == set(range(V)) for column in nearest.T)


def test_the_loss_is_reconstruction_at_the_values_and_two_distances_per_pixel() -> None:
    modules = fresh_state().modules
    outputs, values, _ = parts(modules)
    p = torch.sigmoid(modules["decoder"](torch.tensor(values))).detach().numpy()
    x = images().numpy()
    reconstruction = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum() / N
    distance = sum((o - v) ** 2 for o, v in zip(outputs.flat, values.flat, strict=True)) / (N * D)
    loss = loss_of(modules)
    assert float(loss.terms["reconstruction"].detach()) == pytest.approx(reconstruction, rel=1e-5)
    assert float(loss.terms["quantisation_error"]) == pytest.approx(distance, rel=1e-5)
    expected = reconstruction + PIXELS * (0.3 + 0.07) * distance
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-5)


def test_it_is_the_papers_objective_of_averaged_pixels_times_their_number() -> None:
    modules = fresh_state().modules
    outputs, values, _ = parts(modules)
    p = torch.sigmoid(modules["decoder"](torch.tensor(values))).detach().numpy()
    x = images().numpy()
    papers = -(x * np.log(p) + (1 - x) * np.log(1 - p)).mean() + 0.37 * ((outputs - values) ** 2).mean()
    assert float(loss_of(modules).total.detach()) == pytest.approx(PIXELS * papers, rel=1e-5)


def test_the_decoders_gradient_passes_straight_through_to_the_outputs() -> None:
    modules = fresh_state().modules
    kept: list[Tensor] = []
    modules["encoder"].register_forward_hook(lambda module, given, out: kept.append(out))
    total = loss_of(modules).total
    (at_outputs,) = torch.autograd.grad(total, kept)
    outputs, values, _ = parts(modules)
    leaf = torch.tensor(values, requires_grad=True)
    reconstruction = negative_log_likelihood(modules["decoder"](leaf), images(), "bernoulli")
    (at_values,) = torch.autograd.grad(reconstruction, leaf)
    commitment = PIXELS * 0.07 * 2 * (outputs - values) / (N * D)
    assert abs(commitment).max() > 1e-3
    assert at_values.abs().max() > 1e-3
    np.testing.assert_allclose(at_outputs, at_values.numpy() + commitment, rtol=1e-5, atol=1e-9)


def test_values_are_drawn_to_their_outputs_and_by_nothing_else() -> None:
    modules = fresh_state().modules
    (found,) = torch.autograd.grad(loss_of(modules).total, [modules["quantiser"].values])
    outputs, values, nearest = parts(modules)
    expected = np.zeros((D, V))
    for i, j in np.ndindex(N, D):
        expected[j, nearest[i, j]] += PIXELS * 0.3 * 2 * (values[i, j] - outputs[i, j]) / (N * D)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("weight", ["quantisation", "commitment"])
def test_each_weight_moves_its_own_side(weight: str) -> None:
    modules = fresh_state().modules
    method = QLAE(latents=D, values=V, **({"quantisation": 0, "commitment": 0} | {weight: 1}))
    distance = loss_of(modules, method).total - loss_of(modules, method).terms["reconstruction"]
    sides = [modules["quantiser"].values, modules["encoder"][-1].weight]
    moved = [
        gradient is not None and bool(gradient.abs().max() > 0)
        for gradient in torch.autograd.grad(distance, sides, allow_unused=True)
    ]
    assert moved == ([True, False] if weight == "quantisation" else [False, True])


def after_a_step(weight_decay: float | str) -> State:
    method = QLAE(latents=D, values=V, learning_rate=0.01, weight_decay=weight_decay)
    state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
    for value in state.modules.parameters():  # so that what is decayed would be seen
        value.data += 0.1
    method.at(0).step(state, Batch(images().float(), 100), torch.Generator())
    return state


@pytest.mark.parametrize("weight_decay", [0.5, "linear:0.5:0:10"])
def test_weight_decay_acts_on_matrices_alone(weight_decay: float | str) -> None:
    free, decayed = after_a_step(0.0), after_a_step(weight_decay)
    before = QLAE(latents=D, values=V).state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
    start = dict(before.modules.named_parameters())
    others = dict(decayed.modules.named_parameters())
    kinds = set()
    for name, value in free.modules.named_parameters():
        is_matrix = value.ndim > 1 and not name.startswith("quantiser")
        kinds.add(is_matrix)
        expected = value - is_matrix * 0.01 * 0.5 * (start[name] + 0.1)
        torch.testing.assert_close(others[name], expected, rtol=1e-5, atol=1e-6)
    assert kinds == {True, False}


def test_codes_take_the_learned_values_only() -> None:
    modules = fresh_state().modules
    many = torch.rand((100, 1, 16, 16), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    codes = METHOD.encode(modules, many, torch.Generator())
    assert codes.logvar is None
    assert torch.equal(codes.sample, codes.mean)
    for column, values in zip(codes.mean.T.tolist(), modules["quantiser"].values.tolist(), strict=True):
        assert set(column) <= set(values)
    expected, _ = by_hand(
        modules["encoder"](many).detach().numpy(), modules["quantiser"].values.detach().numpy()
    )
    np.testing.assert_array_equal(codes.mean.detach(), expected)
