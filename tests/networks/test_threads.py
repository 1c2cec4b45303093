"""Networks in shares: the same numbers as whole, the same bits whichever thread runs them."""

import copy
import dataclasses
from pathlib import Path

import pytest
import torch
from standing import bases
from torch import Tensor, nn

import distaff
from distaff import registry
from distaff.batches.feed import Feed
from distaff.methods.base import Stepped
from distaff.networks import NETWORKS, threads
from distaff.networks.threads import Pace, in_shares, network_threads, undivided
from distaff.training.bases import find_bases

STEPPED = [name for name in registry.names("methods") if issubclass(registry.get("methods", name), Stepped)]
SETTINGS = {
    "dc_ign": {"groups": "x;y;scale;shape,orientation"},
    "autoencoder": {"network": "linear", "tied": True},
}


def one_step(name: str, threads: int, folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The terms and the gradients of the first step."""
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=2)
    own = SETTINGS.get(name, {}) | {key: str(path) for key, path in bases(name, data, folder).items()}
    method = dataclasses.replace(registry.get("methods", name)(**own), batch_size=48)
    feed = Feed(method, data, 0, bases=find_bases(method, data)[0])
    state = method.state(feed.facts, torch.Generator().manual_seed(0))
    state.modules.train()
    batch, rng = feed.at(0)
    if method.adversarial:
        # the first step of Adam has the size of the sign of a gradient, so one side of a game hears of
        # rounding
        state.modules.double()
        batch = dataclasses.replace(batch, images=batch.images.double())
    with network_threads(threads, 48):
        terms = method.at(0).step(state, batch, rng)
    gradients = {n: p.grad for n, p in state.modules.named_parameters() if p.grad is not None}
    return terms, gradients


@pytest.mark.parametrize("name", STEPPED)
def test_shares_give_the_gradients_of_the_whole(name: str, tmp_path: Path) -> None:
    whole, shared = one_step(name, 1, tmp_path), one_step(name, 3, tmp_path)
    assert whole[1].keys() == shared[1].keys()
    for before, after in zip(whole, shared, strict=True):
        for key in before:
            scale = float(before[key].abs().max())
            torch.testing.assert_close(after[key], before[key], rtol=0, atol=1e-4 * scale, msg=key)


@pytest.mark.parametrize("network", sorted(NETWORKS))
def test_bits_do_not_depend_on_which_thread_runs_a_share(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = NETWORKS[network][0]((1, 16, 16), 4)
    images = torch.rand(64, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    found = []
    for side_by_side in (True, False, True):
        monkeypatch.setattr(Pace, "side_by_side", lambda self, way=side_by_side: way)
        own = copy.deepcopy(encoder).train()
        with network_threads(2, 64):
            result = own(images)
            result.square().sum().backward()
        found.append([result.detach(), *(p.grad for p in own.parameters())])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def seen_by(threads: int, rows: int, given: int | None = None) -> list[int]:
    """The sizes of the shares that a network gets."""
    sizes: list[int] = []

    def run(inputs: Tensor) -> Tensor:
        sizes.append(len(inputs))
        return inputs * 2

    with network_threads(threads, rows):
        result = in_shares(run, torch.arange(float(given or rows)), tuple)
    assert torch.equal(result, 2 * torch.arange(float(given or rows)))
    return sorted(sizes)


def test_a_share_has_sixteen_rows_or_more() -> None:
    assert seen_by(2, 64) == [32, 32]
    assert seen_by(64, 64) == [16] * 4
    assert seen_by(2, 31) == [31]
    assert seen_by(4, 512, given=20) == [20]
    assert seen_by(1, 64) == [64]


def test_threads_beyond_the_shares_are_torchs_own_and_given_back() -> None:
    before = torch.get_num_threads()
    with network_threads(8, 64):
        assert torch.get_num_threads() == 2
    with network_threads(2, 64):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_what_a_backward_does_not_want_is_not_made() -> None:
    layer, images = nn.Linear(3, 2), torch.rand(32, 3)
    with network_threads(2, 32):
        result = in_shares(layer, images, layer.parameters)
        result.sum().backward(inputs=[layer.bias])
    assert layer.weight.grad is None
    assert layer.bias.grad is not None
    with network_threads(2, 32), torch.no_grad():
        assert not in_shares(layer, images, layer.parameters).requires_grad
    with network_threads(2, 32), torch.inference_mode():
        assert in_shares(layer, images, layer.parameters).is_inference()


def test_gradients_of_gradients_need_the_whole() -> None:
    layer = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    images = torch.rand(32, 3, requires_grad=True)
    weights = list(layer.parameters())
    with network_threads(2, 32):
        values = in_shares(layer, images, layer.parameters)
        with pytest.raises(RuntimeError, match="undivided"):
            torch.autograd.grad(values.sum(), images, create_graph=True)
        with undivided():
            values = in_shares(layer, images, layer.parameters)
        (first,) = torch.autograd.grad(values.sum(), images, create_graph=True)
        first.square().sum().backward()
    assert weights[0].grad is not None


def test_an_error_in_a_share_is_raised() -> None:
    def run(inputs: Tensor) -> Tensor:
        if inputs[0] > 0:
            raise ValueError("the second share fails")
        return inputs

    with network_threads(2, 32), pytest.raises(ValueError, match="the second share fails"):
        in_shares(run, torch.arange(32.0), tuple)


def ways(cost: dict[bool, float], calls: int) -> list[bool]:
    """The ways a pace goes where they cost so many seconds of the clock for one of work."""
    pace, found = Pace(), []
    for _ in range(calls):
        found.append(pace.side_by_side())
        pace.took(found[-1], cost[found[-1]], 1.0)
    return found


def test_the_pace_goes_the_quicker_way_and_tries_the_other() -> None:
    idle = ways({True: 0.55, False: 1.0}, 2048)
    assert 0.98 < sum(idle) / len(idle) < 1
    busy = ways({True: 1.3, False: 1.0}, 2048)
    assert not any(busy[50:500])
    assert sum(busy[512:]) > 0
    crowded = ways({True: 1.0, False: 1.6}, 2048)
    assert sum(crowded) / len(crowded) > 0.98


def test_the_pace_notices_that_a_neighbour_has_come_and_gone() -> None:
    pace = Pace()
    for cost, expected in ((0.55, 1.0), (1.3, 0.0), (0.55, 1.0)):
        for _ in range(3000):
            way = pace.side_by_side()
            pace.took(way, cost if way else 1.0, 1.0)
        later = [pace.side_by_side() for _ in range(100)]
        assert sum(later) / 100 == pytest.approx(expected, abs=0.1)


def test_a_child_of_a_fork_starts_threads_of_its_own() -> None:
    with network_threads(2, 32):
        in_shares(lambda inputs: inputs, torch.zeros(32), tuple)
    assert threads._kept_crew.cache_info().currsize
    threads._kept_crew.cache_clear()  # as in a child
    with network_threads(2, 32):
        assert in_shares(lambda inputs: inputs + 1, torch.zeros(32), tuple).sum() == 32
