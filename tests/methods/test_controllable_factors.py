"""Controllable factors: the selectivity against loops, what has which gradient, what the decoder sees."""

import numpy as np
import pytest
import torch

import distaff
from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.controllable_factors import ControllableFactors, expected, selectivity
from distaff.testing import check_method

DATA = distaff.load_dataset("one_square")
FACTS = Facts(DATA.image_shape, len(DATA), DATA.factors.sizes)


def modules_of(method: ControllableFactors):
    return method.state(FACTS, torch.Generator().manual_seed(0)).modules


def batch_of(rows, actions) -> Batch:
    """Images at rows, and where actions lead from there."""
    index = DATA.factors.index(np.concatenate([rows, DATA.factors.move(rows, actions)]))
    return Batch(DATA.images(index), len(DATA), actions=np.asarray(actions)).to(torch.device("cpu"), (0, 255))


@pytest.mark.parametrize("directed", [False, True])
def test_selectivity_is_that_of_a_loop(directed: bool) -> None:
    changes = np.random.default_rng(0).standard_normal((7, 5))
    changes[2] = 0
    changes[3] = -np.abs(changes[3])
    found = selectivity(torch.from_numpy(changes), 0.1, directed).numpy()
    for row, shares in zip(changes, found, strict=True):
        sizes = [change if directed else abs(change) for change in row]
        bound = sum(size for size in sizes if size > 0)
        for size, share in zip(sizes, shares, strict=True):
            assert share == pytest.approx(size / (bound + 0.1), abs=1e-12)
    assert not found[2].any()
    assert found.max() < 1


def test_what_is_expected_is_the_mean_under_the_policies() -> None:
    """Over rows in which every image takes every action once, the weighted mean has no sampling error."""
    rng = np.random.default_rng(1)
    images, features, count = 6, 3, 4
    policies = rng.dirichlet(np.ones(count), size=(images, features))
    own = rng.random((images, count, features))
    truth = sum(
        policies[s, k, a] * own[s, a, k] / images
        for s in range(images)
        for k in range(features)
        for a in range(count)
    )
    found = expected(
        torch.from_numpy(own.reshape(-1, features)),
        torch.from_numpy(np.repeat(policies, count, axis=0)),
        torch.arange(count).repeat(images),
    )
    assert float(found) == pytest.approx(truth, abs=1e-12)


def test_a_policy_learns_by_the_probability_of_the_action_that_was_taken() -> None:
    """d (A pi_k(a) sel_k / n) / d logit_kb = A sel_k pi_k(a) (1[a = b] - pi_k(b)) / n, and none else."""
    rng = np.random.default_rng(2)
    logits = torch.from_numpy(rng.standard_normal((5, 3, 4))).requires_grad_()
    own, actions = rng.random((5, 3)), rng.integers(4, size=5)
    expected(torch.from_numpy(own), logits.softmax(dim=2), torch.from_numpy(actions)).backward()
    chosen = logits.detach().softmax(dim=2).numpy()
    for n in range(5):
        for k in range(3):
            taken = chosen[n, k, actions[n]]
            for b in range(4):
                slope = 4 * own[n, k] * taken * ((b == actions[n]) - chosen[n, k, b]) / 5
                assert float(logits.grad[n, k, b]) == pytest.approx(slope, abs=1e-12)


def gradients(method: ControllableFactors, batch: Batch) -> dict[str, float]:
    """The largest gradient of the loss in each network."""
    modules = modules_of(method)
    total, terms = method.loss(modules, batch, torch.Generator())
    total.backward()
    assert torch.isfinite(total)
    largest = {}
    for name, network in modules.items():
        slopes = torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
        assert torch.isfinite(slopes).all()
        largest[name] = float(slopes.abs().max())
    return largest | {name: value.item() for name, value in terms.items()}


def test_gradients_reach_policies_by_selectivity_alone() -> None:
    rows = DATA.factors.sample(32, 0)
    batch = batch_of(rows, np.random.default_rng(0).integers(4, size=32))
    found = gradients(ControllableFactors(), batch)
    assert min(found[name] for name in ("encoder", "decoder", "policies")) > 0
    without = gradients(ControllableFactors(selectivity_weight=0.0), batch)
    assert without["policies"] == 0
    assert without["encoder"] > 0


@pytest.mark.parametrize("directed", [False, True])
def test_blocked_moves_are_finite_and_teach_no_policy(directed: bool) -> None:
    batch = batch_of(np.zeros((8, 2), dtype=np.int64), [0, 2] * 4)
    assert torch.equal(*batch.images.chunk(2))
    found = gradients(ControllableFactors(directed=directed), batch)
    assert found["selectivity"] == found["policies"] == 0
    assert found["encoder"] > 0


def test_the_decoder_sees_the_features_and_nothing_else() -> None:
    """Where the features of all images are equal, the decoder can say but one image."""
    method, batch = ControllableFactors(), batch_of(DATA.factors.sample(16, 0), [1] * 16)
    modules, seen = modules_of(method), []
    modules["decoder"].register_forward_hook(lambda network, inputs, outputs: seen.append((inputs, outputs)))
    loss = method.loss(modules, batch, torch.Generator())
    (((features,), outputs),) = seen
    assert torch.equal(features, method.encode(modules, batch.images, torch.Generator()).mean)
    assert features.shape == (32, 4)
    assert features.abs().max() < 1
    decoded = method.decode(modules, features)
    assert torch.equal(decoded, torch.sigmoid(outputs))
    half_squares = 0.5 * (decoded - batch.images).square().sum().item() / 32
    constant = 0.5 * np.log(2 * np.pi) * 144
    assert loss.terms["reconstruction"].item() == pytest.approx(half_squares + constant, rel=1e-5)
    torch.nn.init.zeros_(list(modules["encoder"].parameters())[-2])  # the last layer's weights
    seen.clear()
    method.loss(modules, batch, torch.Generator())
    (((features,), outputs),) = seen
    assert torch.equal(features, features[:1].expand_as(features))
    assert torch.allclose(outputs, outputs[:1].expand_as(outputs), atol=1e-6)


def test_the_loss_is_reconstruction_less_selectivity() -> None:
    batch = batch_of(DATA.factors.sample(16, 0), [3] * 16)
    method = ControllableFactors(selectivity_weight=5.0, reconstruction_weight=0.25)
    total, terms = method.loss(modules_of(method), batch, torch.Generator())
    reconstruction, selective = terms["reconstruction"].item(), terms["selectivity"].item()
    assert total.item() == pytest.approx(0.25 * reconstruction - 5 * selective)


def test_there_is_a_probability_for_every_action_of_every_feature() -> None:
    features = torch.rand((3, 5), generator=torch.Generator().manual_seed(0))
    for moves, count in (("", 4), ("y", 2), ("y, x", 4)):
        method = ControllableFactors(latents=5, moves=moves)
        chosen = method.policies(modules_of(method), features)
        assert chosen.shape == (3, 5, count)
        assert torch.allclose(chosen.sum(dim=2), torch.ones(3, 5))


def test_its_batches_move_what_it_names() -> None:
    assert ControllableFactors().batch_options == {"movable": None, "wrapped": False}
    assert ControllableFactors(moves="y, x", wrapped=True).batch_options == {
        "movable": ("y", "x"),
        "wrapped": True,
    }


def test_bad_input(tmp_path) -> None:
    def start(data, **settings) -> None:
        distaff.train("controllable_factors", data, steps=1, out=tmp_path / "run", show=False, **settings)

    with pytest.raises(BadInput, match="unknown factor 'size'"):
        start(DATA, moves="x,size")
    with pytest.raises(BadInput, match="moves=x,x names a factor twice"):
        start(DATA, moves="x,x")
    bare = distaff.datasets.ArrayImages(np.random.default_rng(0).random((20, 16, 16)))
    with pytest.raises(BadInput, match="needs a data set with a grid of factors, which actions move"):
        start(bare)
    with pytest.raises(BadInput, match="has no grid of factors, so there is nothing for actions to move"):
        start(bare, moves="x")
    assert not (tmp_path / "run").exists()


def test_battery_undirected() -> None:
    check_method(ControllableFactors(directed=False, moves="x,y"), steps=60)
