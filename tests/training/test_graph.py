"""Steps that are recorded once do what steps one by one do; here without a GPU (see tests/gpu)."""

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

import distaff
from distaff import registry
from distaff.batches.feed import Feed
from distaff.batches.resident import Resident
from distaff.errors import BadInput
from distaff.files import write_json
from distaff.methods.base import Stepped
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.state import State
from distaff.training import graph
from distaff.training.config import differences, read_config
from distaff.training.device import arithmetic, choose_noise
from distaff.training.graph import Graph, OneByOne, Uncapturable, capturable, graph_of, undone
from distaff.training.side_by_side import graph_of_some

CPU = torch.device("cpu")
DATA = Resident(distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=2), CPU)
STEPPED = [name for name in registry.names("methods") if not registry.get("methods", name).fitted]
ON_ANOTHER = [n for n in STEPPED if any(base.needed for base in registry.get("methods", n).base_settings())]
RECORDED = [name for name in STEPPED if name not in ("dc_ign", *ON_ANOTHER)]
#: what lies on the device beside images: labels, schedules of every number a loss knows
MORE = {
    "beta_vae": {
        "beta": "linear:1:8:7",
        "learning_rate": "linear:1e-3:1e-4:9",
        "label_loss": "squared",
        "labelled_images": 9,
    }
}


def started(method: Stepped, seed: int = 3) -> tuple[Feed, State]:
    feed = Feed(method, DATA, seed)
    return feed, method.state(feed.facts, torch.Generator().manual_seed(seed))


def small(name: str) -> Stepped:
    size = {"batch_size": 8, **MORE.get(name, {})}
    made: Stepped = registry.get("methods", name)(**size)
    return made


def after(taken: OneByOne | Graph, state: State, steps: range) -> tuple[list[Any], dict[str, Tensor]]:
    terms = [(names, values.tolist()) for names, values in map(taken.step, steps)]
    return terms, state.tensors()


@pytest.mark.parametrize("name", RECORDED)
def test_a_graphs_operations_are_those_of_the_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "AHEAD", 3)  # so that rows are drawn anew on the way
    method, steps = small(name), range(1, 9)
    alone, other = started(method), started(method)
    usual, weights = after(OneByOne(*alone), alone[1], steps)
    found, others = after(graph_of(*other, steps), other[1], steps)
    assert [names for names, _ in found] == [names for names, _ in usual]
    close = {"rtol": 1e-5, "atol": 1e-6} if name in MORE else {"rtol": 0, "atol": 0}  # float32 for schedules
    np.testing.assert_allclose([v for _, v in found], [v for _, v in usual], **close)
    assert others.keys() == weights.keys()
    for key, value in weights.items():
        np.testing.assert_allclose(others[key].numpy(), value.numpy(), **close, err_msg=key)


def test_a_batch_that_holds_a_choice_of_pythons_is_refused() -> None:
    with pytest.raises(Uncapturable, match="'varying' of its batches is no array"):
        graph_of(*started(small("dc_ign")), range(2))


def test_runs_whose_batches_differ_in_size_are_refused() -> None:
    feeds = [Feed(BetaVAE(batch_size=size), DATA, 3) for size in (4, 8)]
    states = [feed.learner.state(feed.facts, torch.Generator()) for feed in feeds]
    with pytest.raises(Uncapturable, match="'images' of their batches has more than one shape"):
        graph_of_some(feeds, states, range(2))


def test_images_must_lie_on_the_device() -> None:
    method = small("vae")
    feed = Feed(method, distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=2), 3)
    with pytest.raises(Uncapturable, match="do not fit"):
        graph_of(feed, method.state(feed.facts, torch.Generator()), range(2))


def test_runs_side_by_side_see_what_each_sees_alone() -> None:
    feeds = [Feed(small("annealed_vae"), DATA, seed) for seed in (5, 9)]
    seen: list[Tensor] = []

    def take(rows: Any, numbers: Any, rngs: Any) -> dict[str, Tensor]:
        seen.append(rows.images.clone())
        noise = torch.stack([torch.randn(4, generator=rng) for rng in rngs])
        return {"noise": noise.sum(dim=1), "capacity": numbers["capacity"]}

    taken = Graph(feeds, take, State(torch.nn.ModuleDict()), range(20, 23), ["capacity"])
    for step in range(20, 23):
        names, values = taken.step(step)
        assert names == ["noise", "capacity"]
        for run, feed in enumerate(feeds):
            batch, seed = feed.rows(step)
            np.testing.assert_array_equal(seen[-1][run], batch.images)
            noise = torch.randn(4, generator=torch.Generator().manual_seed(seed)).sum()
            expected = [float(noise), feed.method(step).capacity]
            assert values[:, run].tolist() == pytest.approx(expected)


def test_runs_in_branches_take_the_steps_they_take_alone() -> None:
    methods = [small("beta_vae"), BetaVAE(batch_size=8, beta=0.3, label_loss="squared", labelled_images=9)]
    alone, beside = ([started(method, seed) for seed, method in enumerate(methods)] for _ in range(2))
    feeds, states = zip(*beside, strict=True)
    found, _ = after(graph_of_some(feeds, states, range(6)), states[0], range(6))
    for run, (feed, state) in enumerate(alone):
        expected, weights = after(graph_of(feed, state, range(6)), state, range(6))
        assert [[term[run] for term in terms] for _, terms in found] == [terms for _, terms in expected]
        assert all(torch.equal(states[run].tensors()[name], value) for name, value in weights.items())


def test_steps_to_warm_up_leave_no_trace() -> None:
    method = small("factor_vae")
    feed, state = started(method)
    fresh = {name: value.clone() for name, value in state.tensors().items()}
    places = {name: value.data_ptr() for name, value in state.tensors().items()}
    taken = OneByOne(feed, state)
    with undone(state):
        taken.step(0)
    for name, value in state.tensors().items():
        assert torch.equal(value, fresh.get(name, torch.zeros_like(value))), name
        assert places.get(name, value.data_ptr()) == value.data_ptr()
    again, other = started(method)
    taken.step(0)
    OneByOne(again, other).step(0)
    assert all(torch.equal(value, other.tensors()[name]) for name, value in state.tensors().items())


def test_optimisers_are_capturable_in_the_block_alone() -> None:
    _, state = started(small("factor_vae"))
    groups = [group for each in state.optimisers.values() for group in each.param_groups]
    with capturable(state):
        assert [group["capturable"] for group in groups] == [True, True]
    assert [group["capturable"] for group in groups] == [False, False]


def test_arithmetic_is_put_back() -> None:
    kinds = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    before = [each.fp32_precision for each in kinds], torch.backends.cudnn.deterministic
    for tf32, word in ((False, "ieee"), (True, "tf32")):
        with suppress(KeyError), arithmetic(tf32):
            assert [each.fp32_precision for each in kinds] == [word, word]
            assert torch.backends.cudnn.deterministic
            raise KeyError
        assert ([each.fp32_precision for each in kinds], torch.backends.cudnn.deterministic) == before


def test_who_draws_the_noise() -> None:
    gpu = torch.device("cuda")
    assert [choose_noise("auto", each) for each in (CPU, gpu)] == ["host", "device"]
    assert [choose_noise("auto", gpu, recorded) for recorded in ("host", "device")] == ["host", "device"]
    assert [choose_noise(name, gpu, "host") for name in ("host", "device")] == ["host", "device"]
    with pytest.raises(BadInput, match="noise='device' needs device=cuda, got device=cpu"):
        choose_noise("device", CPU)
    with pytest.raises(BadInput, match="unknown noise 'gpu'"):
        choose_noise("gpu", CPU)


def test_held_numbers_are_not_checked_and_leave_the_method_alone() -> None:
    method = small("beta_vae")
    held = method.holding({"beta": torch.tensor(3.0)})
    assert float(held.beta) == 3
    assert method.beta == "linear:1:8:7"
    assert method.moving == ["learning_rate", "beta"]
    assert dataclasses.replace(method, beta=2.0, learning_rate=1e-3).moving == []


def test_the_config_says_who_drew_the_noise(trained: Path) -> None:
    config = read_config(trained / "config.json")
    assert config.noise == "host"
    other = msgspec.structs.replace(config, noise="device")
    assert list(differences(other, config)) == [("device", "host", "noise")]
    write_json(trained.parent / "other.json", other)
    assert read_config(trained.parent / "other.json") == other
