"""The three-way machine: its energy against loops, its slopes against differences, chances by enumeration."""

import itertools

import numpy as np
import pytest
import torch

from distaff.errors import BadInput
from distaff.networks.three_way import ThreeWay

PIXELS, H, M, FACTORS = 4, 3, 2, 5


def machine_of(seed: int = 0) -> ThreeWay:
    """A small one in double precision, with weights of about 1 and no bias of 0."""
    rng = torch.Generator().manual_seed(seed)
    machine = ThreeWay((1, 2, 2), H, M, FACTORS, rng).double()
    for parameter in machine.parameters():
        parameter.data += 0.7 * torch.randn(parameter.shape, generator=rng, dtype=torch.float64)
    return machine


def every_state() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    states = torch.tensor(list(itertools.product([0.0, 1.0], repeat=PIXELS + H + M)), dtype=torch.float64)
    return states.split((PIXELS, H, M), dim=1)


def energy_by_loops(machine: ThreeWay, v: np.ndarray, h: np.ndarray, m: np.ndarray) -> float:
    weights = {name: value.detach().numpy() for name, value in machine.named_parameters()}
    total = 0.0
    for i, j, k, f in itertools.product(range(PIXELS), range(H), range(M), range(FACTORS)):
        triple = weights["v_factors"][i, f] * weights["h_factors"][j, f] * weights["m_factors"][k, f]
        total -= v[i] * h[j] * m[k] * triple
    for i in range(PIXELS):
        total -= v[i] * weights["of_v"][i]
        total -= sum(v[i] * h[j] * weights["v_h"][i, j] for j in range(H))
        total -= sum(v[i] * m[k] * weights["v_m"][i, k] for k in range(M))
    total -= sum(h[j] * weights["of_h"][j] for j in range(H))
    return total - sum(m[k] * weights["of_m"][k] for k in range(M))


def test_the_energy_is_that_of_loops() -> None:
    machine, rng = machine_of(), np.random.default_rng(0)
    v, h, m = (rng.random((6, size)) for size in (PIXELS, H, M))
    found = machine.energy(*map(torch.from_numpy, (v, h, m))).detach().numpy()
    for n in range(6):
        assert found[n] == pytest.approx(energy_by_loops(machine, v[n], h[n], m[n]), abs=1e-12)


def test_the_slopes_of_the_energy_are_its_differences() -> None:
    machine, rng = machine_of(), torch.Generator().manual_seed(1)
    v, h, m = (torch.rand((3, size), generator=rng, dtype=torch.float64) for size in (PIXELS, H, M))
    machine.energy(v, h, m).sum().backward()
    for parameter in machine.parameters():
        slopes, flat = parameter.grad.flatten(), parameter.data.view(-1)
        for n in range(len(flat)):
            ends = []
            for step in (1e-5, -2e-5):
                flat[n] += step
                ends.append(machine.energy(v, h, m).sum().item())
            flat[n] += 1e-5
            assert slopes[n].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


@pytest.mark.parametrize("group", ["v", "h", "m"])
def test_the_chance_of_each_unit_is_that_by_enumeration(group: str) -> None:
    """Of all states that agree with given ones of the two other groups, those with the unit on."""
    machine = machine_of(2)
    v, h, m = every_state()
    p = torch.softmax(-machine.energy(v, h, m), dim=0)
    units = {"v": v, "h": h, "m": m}
    others = [each for name, each in units.items() if name != group]
    given = others if group == "v" else (machine.seen(v), others[1])
    found = torch.sigmoid(getattr(machine, f"{group}_logits")(*given))
    for row in range(0, len(v), 17):
        agree = torch.stack([(each == each[row]).all(dim=1) for each in others]).all(dim=0)
        chances = (p[agree, None] * units[group][agree]).sum(dim=0) / p[agree].sum()
        assert torch.allclose(found[row], chances, atol=1e-12)


def test_too_many_weights_are_refused_before_they_take_memory() -> None:
    with pytest.raises(BadInput, match="a machine of 4,313,024,000 weights is not allowed"):
        ThreeWay((3, 64, 64), 5000, 5000, 188_000, torch.Generator())
