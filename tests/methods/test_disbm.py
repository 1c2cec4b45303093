"""DisBM on machines small enough to enumerate: likelihood, mean field, contrastive divergence, chains."""

import itertools
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import distaff
from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.disbm import DisBM, LabelUnits, manifold_loss
from distaff.methods.mean_field import Given, Units, mean_field
from distaff.networks.three_way import ThreeWay
from distaff.testing import check_method

SHAPE, PIXELS, H, M = (1, 2, 2), 4, 2, 2
FACTS = Facts(SHAPE, 100, (2, 3))
Machine = ThreeWay


def machine_of(seed: int = 0, spread: float = 0.7) -> ThreeWay:
    """A machine of four pixels and two units in each group, in double precision."""
    rng = torch.Generator().manual_seed(seed)
    machine = ThreeWay(SHAPE, H, M, 3, rng).double()
    for parameter in machine.parameters():
        parameter.data += spread * torch.randn(parameter.shape, generator=rng, dtype=torch.float64)
    return machine


def states(size: int) -> torch.Tensor:
    """All states (2^size, size)."""
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=size)), dtype=torch.float64)


def log_weights(machine: ThreeWay, v: torch.Tensor) -> torch.Tensor:
    """-E (n, states of h, states of m) of pixels (n, p) with every state of h and of m."""
    h, m = states(H), states(M)
    grid = torch.cartesian_prod(torch.arange(len(v)), torch.arange(len(h)), torch.arange(len(m))).T
    return -machine.energy(v[grid[0]], h[grid[1]], m[grid[2]]).view(len(v), len(h), len(m))


def log_likelihood(machine: ThreeWay, v: torch.Tensor) -> torch.Tensor:
    """log p(v) (n,), exactly."""
    everything = torch.logsumexp(log_weights(machine, states(PIXELS)).flatten(), dim=0)
    return torch.logsumexp(log_weights(machine, v), dim=(1, 2)) - everything


def free_energy(machine: ThreeWay, v: torch.Tensor, units: Units) -> torch.Tensor:
    """Mean E less entropy (n,) of independent units, by a sum over all their states."""
    total = torch.zeros(len(v), dtype=torch.float64)
    for h, m in itertools.product(states(H), states(M)):
        q = (torch.where(h > 0, units.h, 1 - units.h)).prod(1) * torch.where(
            m > 0, units.m, 1 - units.m
        ).prod(1)
        energy = machine.energy(v, h.expand(len(v), -1), m.expand(len(v), -1))
        total = total + q * (energy + q.clamp(min=1e-300).log())
    return total


def slopes(machine: ThreeWay, loss: torch.Tensor) -> torch.Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(machine.parameters()))])


V = (torch.rand((6, PIXELS), generator=torch.Generator().manual_seed(3)) < 0.5).double()


def test_the_gradient_of_the_likelihood_is_a_difference_of_mean_energies() -> None:
    """That of E given the pixels less that of E at large, both exact: what CD stands in for."""
    machine = machine_of()
    exact = slopes(machine, log_likelihood(machine, V).mean())
    given, at_large = log_weights(machine, V), log_weights(machine, states(PIXELS))
    posterior = torch.softmax(given.flatten(1), dim=1).detach()
    model = torch.softmax(at_large.flatten(), dim=0).detach()
    contrast = (posterior * -given.flatten(1)).sum(dim=1).mean() - (model * -at_large.flatten()).sum()
    assert torch.allclose(exact, -slopes(machine, contrast), atol=1e-12)


def test_mean_field_is_exact_where_the_groups_do_not_interact() -> None:
    machine = machine_of()
    machine.h_factors.data.zero_()
    units = mean_field(machine, V, 1)
    p = torch.softmax(log_weights(machine, V).flatten(1), dim=1).view(len(V), 2**H, 2**M)
    assert torch.allclose(units.h, p.sum(dim=2) @ states(H), atol=1e-12)
    assert torch.allclose(units.m, p.sum(dim=1) @ states(M), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_mean_field_never_raises_the_free_energy_and_ends_where_nothing_lowers_it(seed: int) -> None:
    machine = machine_of(seed, spread=1.5)
    before = torch.full((len(V),), torch.inf)
    for sweeps in range(1, 40):
        now = free_energy(machine, V, mean_field(machine, V, sweeps))
        assert (now <= before + 1e-9).all()
        before = now
    exact = -torch.logsumexp(log_weights(machine, V), dim=(1, 2))
    assert (before >= exact - 1e-9).all()
    units = Units(*(each.detach().requires_grad_() for each in mean_field(machine, V, 2000)))
    found = torch.autograd.grad(free_energy(machine, V, units).sum(), list(units))
    for slope, each in zip(found, units, strict=True):
        assert (slope * each * (1 - each)).abs().max() < 1e-9  # the slope by the unit's log-odds


def test_a_pair_in_common_has_the_units_that_lower_both_free_energies_most() -> None:
    """Free energies of two images at one h add up, with h's entropy counted once; nothing lowers that."""
    machine, pairs = machine_of(4, spread=1.2), len(V) // 2
    shared = torch.tensor([True, False, True])
    units = mean_field(machine, V, 2000, Given(shared, torch.zeros(pairs, dtype=torch.bool)))
    first, second = units.h.chunk(2)
    assert torch.equal(first[shared], second[shared])
    assert not torch.equal(first[~shared], second[~shared])
    h = first[shared].detach().requires_grad_()
    m1, m2 = (each[shared].detach().requires_grad_() for each in units.m.chunk(2))
    entropy = -(h * h.log() + (1 - h) * (1 - h).log()).sum()
    both = [
        free_energy(machine, v[shared], Units(h, m)).sum() for v, m in zip(V.chunk(2), (m1, m2), strict=True)
    ]
    total = sum(both) + entropy  # each counts it once, and it is there once
    for slope in torch.autograd.grad(total, [h, m1, m2]):
        assert slope.abs().max() < 1e-5
    alone = mean_field(machine, V, 2000)
    assert torch.allclose(units.h.chunk(2)[0][~shared], alone.h.chunk(2)[0][~shared], atol=1e-9)


def test_the_objective_of_a_clamped_pair_is_the_chance_of_drawing_both_with_one_h() -> None:
    """-(free energies of the pair) is at most log sum_h p(v1, h) p(v2, h) and, without mean field, that."""
    machine, pairs = machine_of(5), len(V) // 2
    of_h = torch.logsumexp(log_weights(machine, V), dim=2)  # log sum_m exp(-E) (n, states of h)
    exact = torch.logsumexp(sum(of_h.chunk(2)), dim=1)
    everyone = torch.ones(pairs, dtype=torch.bool)
    units = mean_field(machine, V, 500, Given(everyone, ~everyone))
    h = units.h[:pairs]
    entropy = -(h * h.log() + (1 - h) * (1 - h).log()).sum(dim=1)
    bound = -sum(free_energy(machine, V, units).chunk(2)) - entropy
    assert (bound <= exact + 1e-9).all()
    assert (bound >= exact - 1).all()
    machine.h_factors.data.zero_()  # now h and m are independent, given the pixels
    exact = torch.logsumexp(sum(torch.logsumexp(log_weights(machine, V), dim=2).chunk(2)), dim=1)
    units = mean_field(machine, V, 1, Given(everyone, ~everyone))
    h = units.h[:pairs]
    entropy = -(h * h.log() + (1 - h) * (1 - h).log()).sum(dim=1)
    assert torch.allclose(-sum(free_energy(machine, V, units).chunk(2)) - entropy, exact, atol=1e-9)


def state_of(method: DisBM, machine: ThreeWay):
    state = method.state(FACTS, torch.Generator().manual_seed(0))
    state.modules.double()
    state.chains.double()
    state.modules["machine"].load_state_dict(machine.state_dict())
    return state


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(a @ b / a.norm() / b.norm())


@pytest.mark.parametrize("seed", range(3))
def test_contrastive_divergence_goes_up_the_likelihood(seed: int) -> None:
    """Over many draws its direction is near that of the exact gradient, and with more steps nearer."""
    machine = machine_of(seed)
    exact = slopes(machine, -log_likelihood(machine, V).mean())
    found = {}
    for k in (1, 10):
        state = state_of(DisBM(latents=4, interactions=3, pairs="none", gibbs_steps=k), machine)
        many = V.repeat(2000, 1)
        loss, _ = DisBM(latents=4, interactions=3, pairs="none", gibbs_steps=k).contrast(
            state, many, Given(), torch.Generator().manual_seed(1)
        )
        found[k] = cosine(slopes(state.modules["machine"], loss), exact)
    assert found[1] > 0.7
    assert found[10] > found[1]
    assert found[10] > 0.9


def test_chains_come_to_draw_from_the_model() -> None:
    """The mean slopes of the energy at chains' pixels and units are the exact ones, within their noise."""
    method = DisBM(
        latents=4, interactions=3, pairs="none", persistent=True, gibbs_steps=30, batch_size=20_000
    )
    machine = machine_of(6)
    state = state_of(method, machine)
    chains = state.chains["units"].get_buffer("h_and_m")
    before = chains.clone()
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        seen, units = method.gone_on(state.modules["machine"], chains, rng)
    assert not torch.equal(before, chains)
    assert set(chains.unique().tolist()) == {0, 1}
    assert torch.equal(units.m, chains[:, 2:])
    found = slopes(state.modules["machine"], state.modules["machine"].energy(seen, *units).mean())
    everything = log_weights(machine, states(PIXELS)).flatten()
    exact = slopes(machine, (torch.softmax(everything, dim=0).detach() * -everything).sum())
    assert torch.allclose(found, exact, atol=5 / math.sqrt(len(chains)))


def test_chains_are_in_checkpoints_alone_and_go_on_to_the_same_bytes(tmp_path) -> None:
    data = distaff.load_dataset("shifted_patterns")
    settings = {"persistent": True, "latents": 8, "batch_size": 16, "seed": 0, "show": False}
    for steps in (5, 9):
        distaff.train("disbm", data, steps=steps, out=tmp_path / "again", **settings)
    distaff.train("disbm", data, steps=9, out=tmp_path / "at once", **settings)
    for name in ("model", "checkpoint"):
        again, at_once = (tmp_path / each / f"{name}.safetensors" for each in ("again", "at once"))
        assert again.read_bytes() == at_once.read_bytes()
    kept = load_file(tmp_path / "again" / "checkpoint.safetensors")
    assert kept["chains/units.h_and_m"].shape == (16, 8)
    assert all(name.startswith("machine.") for name in load_file(tmp_path / "again" / "model.safetensors"))
    codes = distaff.load_run(tmp_path / "again").encode(data.images([0, 5])).mean
    assert codes.shape == (2, 8)


def test_a_checkpoint_without_its_chains_or_with_others_is_refused() -> None:
    method = DisBM(latents=4, persistent=True)
    state = method.state(FACTS, torch.Generator())
    kept = state.tensors()
    with pytest.raises(BadInput, match="do not fit the method"):
        state.load({name: value for name, value in kept.items() if not name.startswith("chains/")})
    with pytest.raises(BadInput, match=r"units\.h_and_m is torch\.float64"):
        state.load(kept | {"chains/units.h_and_m": kept["chains/units.h_and_m"].double()})
    with pytest.raises(BadInput, match="do not fit the method"):
        DisBM(latents=4).state(FACTS, torch.Generator()).load(kept)


def test_the_manifold_loss_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    h, m = rng.random((8, 3)), rng.random((8, 5))
    h[4] = h[0]
    shared_h, shared_m = np.array([False, True, True, False]), np.array([True, False, True, False])
    total = 0.0
    for pair in range(4):
        for units, shared in ((h, shared_h), (m, shared_m)):
            apart = np.linalg.norm(units[pair] - units[pair + 4])
            total += (apart if shared[pair] else max(0.0, 1.2 - apart)) ** 2 / 4
    units = Units(*(torch.from_numpy(each).requires_grad_() for each in (h, m)))
    found = manifold_loss(units, torch.from_numpy(shared_h), torch.from_numpy(shared_m), 1.2)
    assert found.item() == pytest.approx(total, abs=1e-5)
    found.backward()
    assert all(torch.isfinite(each.grad).all() for each in units)


def test_which_pairs_share_what() -> None:
    changed = torch.tensor([[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 1]]).bool()
    batch = Batch(torch.zeros(10, 1, 2, 2), 10, changed=changed)
    shared_h, shared_m = DisBM(identity_factors=2).shared(batch)
    assert shared_h.tolist() == [True, False, False, True, False]
    assert shared_m.tolist() == [False, True, True, True, False]


def test_labels_hold_their_own_units() -> None:
    made = LabelUnits((3,), (2, 4), 5, 7)
    held = made(torch.tensor([[2, 0, 3], [0, 1, 1]])).numpy()
    for labels, row in zip(([2, 0, 3], [0, 1, 1]), held, strict=True):
        expected = np.full(12, np.nan)
        expected[0:3] = expected[5:7] = expected[7:11] = 0
        expected[[labels[0], 5 + labels[1], 7 + labels[2]]] = 1
        np.testing.assert_array_equal(row, expected)


def test_held_units_stay_and_the_others_follow_from_them() -> None:
    machine = machine_of(7)
    held = torch.full((len(V), H + M), torch.nan, dtype=torch.float64)
    held[:, 1], held[:, 2] = 1, 0
    units = mean_field(machine, V, 3, Given(held=held))
    assert (units.h[:, 1] == 1).all()
    assert (units.m[:, 0] == 0).all()
    assert torch.allclose(units.m[:, 1], torch.sigmoid(machine.m_logits(machine.seen(V), units.h))[:, 1])


def test_units_of_labels_tell_them_of_other_images(tmp_path) -> None:
    """A few labels make the units say what the pattern and the shift of any image are."""
    data = distaff.load_dataset("shifted_patterns")
    settings = {"pairs": "none", "labelled_images": 26, "batch_size": 32, "learning_rate": 0.01}
    run = distaff.train("disbm", data, steps=400, out=tmp_path / "run", show=False, **settings)
    codes = run.encode(data.images(np.arange(32))).mean
    pattern, shift = data.labels(np.arange(32)).T
    assert (codes[:, :4].argmax(axis=1) == pattern).mean() > 0.8
    assert (codes[:, 20:28].argmax(axis=1) == shift).mean() > 0.8


def test_a_code_is_decoded_to_the_chances_of_pixels() -> None:
    method = DisBM(latents=4, interactions=3)
    state = state_of(method, machine_of(8))
    codes = method.encode(state.modules, V.view(-1, *SHAPE), torch.Generator()).mean
    decoded = method.decode(state.modules, codes)
    machine = state.modules["machine"]
    p = torch.sigmoid(machine.v_logits(codes[:, :2], codes[:, 2:]))
    assert torch.allclose(decoded, p.view(-1, *SHAPE))


def test_bad_input(tmp_path) -> None:
    def start(data, **settings) -> None:
        distaff.train("disbm", data, steps=1, out=tmp_path / "run", show=False, **settings)

    data = distaff.load_dataset("shifted_patterns")
    bare = distaff.datasets.ArrayImages(np.random.default_rng(0).random((20, 16, 16)))
    with pytest.raises(BadInput, match="identity_factors=1 of the data set's 0 factors leaves m without any"):
        start(bare)
    with pytest.raises(BadInput, match="identity_factors=2 of the data set's 2 factors"):
        start(data, identity_factors=2)
    with pytest.raises(BadInput, match="latents=12 gives m 6 units, and its labels need 8"):
        start(data, latents=12, labelled_images=10)
    with pytest.raises(BadInput, match="has no labels"):
        start(bare, pairs="none", labelled_images=10)
    with pytest.raises(BadInput, match=r"margin=2\.0 has no effect without pairs"):
        start(data, pairs="none", margin=2.0)
    with pytest.raises(BadInput, match="latents=1 is out of range"):
        start(data, latents=1)
    with pytest.raises(BadInput, match="batch_size=33 is odd"):
        start(data, batch_size=33)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"pairs": "none", "persistent": True},
        {"pairs": "both", "gibbs_steps": 2},
        {"pairs": "manifold", "manifold_weight": "linear:0:1:20"},
    ],
)
def test_battery(settings: dict) -> None:
    check_method(DisBM(**settings), steps=60)
