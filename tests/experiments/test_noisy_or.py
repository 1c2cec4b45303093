"""Noisy-OR networks against their definition, total correlations of known tables, and a world recovered."""

import itertools

import numpy as np
import pytest
import torch

from distaff.experiments.noisy_or import (
    FINDINGS,
    Net,
    NoisyOR,
    Scale,
    learned,
    matched,
    of_world,
    states,
    table_total_correlation,
    world,
)


def small(sizes: tuple[int, ...], seed: int = 100) -> Net:
    return Net(sizes, torch.Generator().manual_seed(seed)).requires_grad_(False)


def chance_of_row(row: tuple[int, ...], above: tuple[int, ...], net: Net, layer: int) -> float:
    """p(row | above) as a noisy-OR is defined: a unit is off where its leak and every cause fail."""
    fails = np.exp(-torch.nn.functional.softplus(net.weights[layer]).numpy())
    leaks = np.exp(-torch.nn.functional.softplus(net.leaks[layer]).numpy())
    chance = 1.0
    for j, on in enumerate(row):
        off = leaks[j] * np.prod([fails[k, j] for k, there in enumerate(above) if there])
        chance *= 1 - off if on else off
    return float(chance)


def joint(net: Net) -> dict[tuple[tuple[int, ...], ...], float]:
    """The probability of every setting of all layers, multiplied out."""
    prior = torch.sigmoid(net.prior).numpy()
    sizes = [len(prior)] + [len(leak) for leak in net.leaks]
    every = itertools.product(*[itertools.product((0, 1), repeat=size) for size in sizes])
    table = {}
    for rows in every:
        p = float(np.prod(np.where(rows[0], prior, 1 - prior)))
        for layer, (above, row) in enumerate(itertools.pairwise(rows)):
            p *= chance_of_row(row, above, net, layer)
        table[rows] = p
    return table


@pytest.mark.parametrize("sizes", [(2, 3), (2, 2, 3)])
def test_likelihood_and_posteriors_are_those_of_the_joint_multiplied_out(sizes: tuple[int, ...]) -> None:
    net = small(sizes)
    table = joint(net)
    assert sum(table.values()) == pytest.approx(1, abs=1e-5)
    seen = (1, 0, 1)
    of_seen = {rows: p for rows, p in table.items() if rows[-1] == seen}
    total = sum(of_seen.values())
    row = torch.tensor([seen], dtype=torch.float32)
    assert float(net.log_likelihood(row).exp()) == pytest.approx(total, rel=1e-4)
    for layer, found in enumerate(net.posteriors(row)):
        for state, p in zip(states(sizes[layer]).int().tolist(), found[0].tolist(), strict=True):
            plain = sum(q for rows, q in of_seen.items() if list(rows[layer]) == state) / total
            assert p == pytest.approx(plain, abs=1e-5)


def test_patients_are_drawn_as_likely_as_the_net_says() -> None:
    net = small((2, 2, 2))
    drawn = net.draw(40_000, torch.Generator().manual_seed(100))[-1]
    for seen in states(2):
        share = float((drawn == seen).all(dim=1).float().mean())
        assert share == pytest.approx(float(net.log_likelihood(seen[None]).exp()), abs=0.01)


def test_a_cause_explains_another_away() -> None:
    net = small((2, 1))
    net.prior.fill_(0)
    net.weights[0].fill_(20.0)  # each cause surely brings the finding about
    net.leaks[0].fill_(-20.0)
    posterior = net.posteriors(torch.ones(1, 1))[0]
    assert posterior[0].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=1e-3)
    h = -(2 / 3) * np.log(2 / 3) - (1 / 3) * np.log(1 / 3)
    assert float(table_total_correlation(posterior)[0]) == pytest.approx(2 * h - np.log(3), abs=1e-3)


def test_the_total_correlation_of_known_tables() -> None:
    twice = torch.tensor([0.5, 0.0, 0.0, 0.5])  # one bit, twice
    on = torch.tensor([0.3, 0.9, 0.5])
    product = torch.tensor([float(np.prod(np.where(row, on, 1 - on))) for row in states(3).numpy()])
    assert float(table_total_correlation(twice)) == pytest.approx(np.log(2))
    assert float(table_total_correlation(product)) == pytest.approx(0, abs=1e-6)


def test_the_true_posterior_of_certain_units_matches_them() -> None:
    units = np.random.default_rng(100).integers(0, 2, (50, 3))
    place = units @ [4, 2, 1]
    assert matched(torch.eye(8)[place], units[:, [2, 0, 1]]) == pytest.approx(1)


def test_a_world_has_the_edges_that_it_is_said_to_have() -> None:
    made = world("deep", 100)
    assert [tuple(layer.shape) for layer in made.known] == [(3000, 2), (3000, 6), (3000, FINDINGS)]
    tops, causes = made.known[0], made.known[1]
    together = np.corrcoef(torch.cat([tops, causes], dim=1).numpy().T)[:2, 2:]
    assert together[0, :3].min() > 0.5 > 0.1 > abs(together[0, 3:]).max()
    assert together[1, 3:].min() > 0.5
    chance = -torch.expm1(-torch.nn.functional.softplus(made.net.weights[1]))
    assert ((chance > 0.4).sum(dim=1) == 8).all()
    assert ((chance > 0.4) | (chance < 0.01)).all()


def test_a_world_is_learned_better_from_more_steps_and_every_claim_has_a_number() -> None:
    _, known, held = world("flat", 100)
    few, many = (
        learned((6, FINDINGS), known[-1], Scale("", steps=steps, fits=1), 100).requires_grad_(False)
        for steps in (2, 60)
    )
    assert float((many.log_likelihood(held[-1]) - few.log_likelihood(held[-1])).mean()) > 1
    found = of_world("deep", Scale("", steps=2, fits=2), 100)
    assert {"tops", "tops of the true net", "TC of the tops"} <= found.keys()
    assert found["tops of the true net"] > 0.7
    assert len(NoisyOR().claims) == 10
