"""The relation network against a plain loop over all pairs of objects."""

import numpy as np
import pytest
import torch
from torch import nn

from distaff.networks.initial import fresh
from distaff.networks.relation import PANELS, Relations


def network(size: int = 4, width: int = 7, layers: int = 3) -> Relations:
    made = fresh(lambda: Relations(size, width, layers), torch.Generator().manual_seed(100))
    with torch.no_grad():  # biases that are zero would hide where one is added twice
        for name, parameter in made.named_parameters():
            if name.endswith("bias"):
                parameter.copy_(torch.linspace(-0.5, 0.5, parameter.numel()))
    return made


def plain(made: Relations, context: np.ndarray, answer: np.ndarray) -> float:
    """The logit of one answer (d,) with eight panels (8, d), pair after pair, in float64."""
    weights = {name: value.double().numpy() for name, value in made.state_dict().items()}
    linear = [name.removesuffix(".weight") for name in weights if name.endswith("weight")]
    between = [name for name in linear if name.startswith("pairs")]
    after = [name for name in linear if name.startswith("judge")]
    objects = [np.r_[row, np.eye(PANELS)[place]] for place, row in enumerate([*context, answer])]
    total = np.zeros(len(weights["first.bias"]))
    for one in objects:
        for other in objects:
            both = np.r_[one, other]
            whole = np.concatenate([weights["first.weight"], weights["second.weight"]], axis=1)
            hidden = np.maximum(whole @ both + weights["first.bias"], 0)
            for name in between:
                hidden = np.maximum(weights[f"{name}.weight"] @ hidden + weights[f"{name}.bias"], 0)
            total += hidden
    hidden = total / len(objects) ** 2
    for name in after[:-1]:
        hidden = np.maximum(weights[f"{name}.weight"] @ hidden + weights[f"{name}.bias"], 0)
    return float((weights[f"{after[-1]}.weight"] @ hidden + weights[f"{after[-1]}.bias"]).item())


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_logits_are_those_of_all_pairs_one_by_one(layers: int) -> None:
    rng, made = np.random.default_rng(100), network(layers=layers)
    context, answers = rng.normal(size=(2, 8, 4)), rng.normal(size=(2, 6, 4))
    with torch.no_grad():
        found = made(torch.from_numpy(context).float(), torch.from_numpy(answers).float()).numpy()
    expected = [[plain(made, context[n], answers[n, a]) for a in range(6)] for n in range(2)]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)
    assert np.ptp(expected) > 1e-3


def test_an_answer_is_judged_without_the_others() -> None:
    rng, made = torch.Generator().manual_seed(100), network()
    context, answers = torch.randn(3, 8, 4, generator=rng), torch.randn(3, 6, 4, generator=rng)
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    with torch.no_grad():
        torch.testing.assert_close(made(context, answers[:, order]), made(context, answers)[:, order])
        torch.testing.assert_close(made(context, answers[:, :2]), made(context, answers)[:, :2])


def test_places_of_panels_are_told_apart() -> None:
    rng, made = torch.Generator().manual_seed(100), network()
    context, answers = torch.randn(1, 8, 4, generator=rng), torch.randn(1, 6, 4, generator=rng)
    with torch.no_grad():
        assert not torch.allclose(made(context.flip(1), answers), made(context, answers), atol=1e-4)


def test_it_is_of_layers_of_the_width_that_is_asked_for() -> None:
    made = Relations(10, 64, 2)
    linear = [(each.in_features, each.out_features) for each in made.modules() if isinstance(each, nn.Linear)]
    assert linear == [(19, 64), (19, 64), (64, 64), (64, 64), (64, 64), (64, 1)]
