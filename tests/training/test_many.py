"""Runs that take their steps as one, against the same runs alone, in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

import distaff
from distaff import registry
from distaff.batches.feed import Feed
from distaff.errors import BadInput
from distaff.methods.state import State
from distaff.networks import conv
from distaff.training.many import Many

SMALL = {"precision": "float64", "batch_size": 4, "latents": 3}
Runs = list[dict[str, Any]]

#: by what is tested: the method, what its runs share, and in which numbers they differ
DIFFERING: dict[str, tuple[str, dict[str, Any], Runs]] = {
    "beta_vae": ("beta_vae", {}, [{"beta": 1.0}, {"beta": 8.0, "learning_rate": 5e-4}, {"beta": 4.0}]),
    "annealed_vae": (
        "annealed_vae",
        {"gamma": 10.0},
        [{"capacity": "linear:0:5:50"}, {"capacity": 3.0}, {"gamma": "cosine:1:9:80"}],
    ),
    "factor_vae": (
        "factor_vae",
        {"discriminator_width": 20},
        [{"gamma": 1.0}, {"gamma": 9.0}, {"discriminator_learning_rate": 1e-3}],
    ),
    "factor_vae, second batch": (
        "factor_vae",
        {"discriminator_width": 20, "second_batch": True},
        [{"gamma": 1.0}, {"gamma": 9.0}],
    ),
    "beta_tc_vae": ("beta_tc_vae", {}, [{"beta": 1.0}, {"beta": 8.0}, {"alpha": 2.0, "gamma": 3.0}]),
    "dip_vae_i": ("dip_vae_i", {}, [{"lambda_od": 1.0}, {"lambda_d": 3.0}, {"beta": 2.0}]),
    "dip_vae_ii": ("dip_vae_ii", {}, [{"lambda_od": 1.0}, {"lambda_d": 3.0}, {"beta": 2.0}]),
    "ada_gvae": ("ada_gvae", {}, [{"beta": 1.0}, {"beta": 4.0}, {"threshold": 0.3}]),
    "autoencoder": ("autoencoder", {}, [{}, {"learning_rate": 1e-3}, {"reconstruction_weight": 2.0}]),
}
#: not asked of every method in full, but that they go together at all
FEW_STEPS: dict[str, tuple[str, dict[str, Any], Runs]] = {
    "tied": ("autoencoder", {"network": "linear", "tied": True}, [{}, {"learning_rate": 1e-3}]),
    "masked": (
        "autoencoder",
        {"corruption": "masking", "sparsity": "l1"},
        [{"corruption_level": 0.1}, {"sparsity_weight": 2.0}],
    ),
    "rectangles": (
        "autoencoder",
        {"corruption": "rectangle"},
        [{"corruption_level": 0.3}, {"corruption_level": 0.8}],
    ),
    "gaussian": ("beta_vae", {"likelihood": "gaussian"}, [{"sigma": 0.5}, {"sigma": 2.0}]),
    "labels": (
        "beta_vae",
        {"latents": 5, "label_loss": "cross_entropy", "labelled_images": 20},
        [{"label_weight": 0.5}, {"beta": 2.0}],
    ),
    "slow_vae": ("slow_vae", {}, [{"prior_rate": 3.0}, {"gamma": 2.0}]),
    "hfs_vae": ("hfs_vae", {}, [{"gamma": 3.0}, {"beta": 2.0}]),
    "ml_vae": ("ml_vae", {"latents": 5}, [{"beta": 3.0}, {"beta": 2.0}]),
    "deep_vae": ("deep_vae", {}, [{"beta": 3.0}, {"beta": 2.0}]),
    "jmvae": ("jmvae", {}, [{"alpha": 3.0}, {"symbol_weight": 2.0}]),
    "telbo": ("telbo", {}, [{"own_symbol_weight": 3.0}, {"symbol_weight": 2.0}]),
}


def begun(case: tuple[str, dict[str, Any], Runs], size: int = 16) -> tuple[list[Feed], list[State]]:
    """The feeds and fresh states of runs with seeds 0, 1, ..."""
    name, shared, runs = case
    data = distaff.load_dataset("dsprites", resolution=size, x=4, y=4, orientation=2, scale=2)
    kind = registry.get("methods", name)
    feeds = [Feed(kind(**SMALL | shared | own), data, seed) for seed, own in enumerate(runs)]
    return feeds, fresh(feeds)


def fresh(feeds: list[Feed]) -> list[State]:
    states = [f.learner.state(f.facts, torch.Generator().manual_seed(n)) for n, f in enumerate(feeds)]
    for state in states:
        state.modules.train()
    return states


def alone(feed: Feed, state: State, steps: range) -> list[dict[str, torch.Tensor]]:
    """The terms of steps that a run takes alone."""
    found = []
    for step in steps:
        batch, rng = feed.at(step)
        found.append(feed.method(step).step(state, batch, rng))
    return found


def distance(one: State, other: State) -> float:
    """The largest difference of any weight."""
    ours, theirs = one.modules.state_dict(), other.modules.state_dict()
    assert all(value.dtype == torch.float64 for value in ours.values())
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


def check(case: tuple[str, dict[str, Any], Runs], steps: int, ways: str, size: int = 16) -> None:
    feeds, states = begun(case, size)
    many, moved = Many(feeds, states, ways), fresh(feeds)
    found = [many.step(step) for step in range(steps)]
    for n, (feed, expected, before) in enumerate(zip(feeds, fresh(feeds), moved, strict=True)):
        terms = alone(feed, expected, range(steps))
        assert distance(states[n], expected) < 1e-9
        assert distance(before, expected) > 1e-4 * min(1, steps / 10)  # they have learned something
        assert states[n].tensors().keys() == expected.tensors().keys()
        assert [each.keys() for each in found] == [each.keys() for each in terms]
        for ours, theirs in zip(found, terms, strict=True):
            assert [float(v[n]) for v in ours.values()] == pytest.approx([float(v) for v in theirs.values()])
    with pytest.raises(AssertionError):  # of other seeds
        assert distance(states[0], states[1]) < 1e-3


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same networks with fewer channels."""
    monkeypatch.setattr(conv, "HIDDEN", 16)
    monkeypatch.setattr(conv, "CHANNELS", (4, 4, 8, 8, 8))


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("name", DIFFERING)
def test_weights_after_100_steps_are_those_of_runs_alone(name: str) -> None:
    check(DIFFERING[name], 100, "products")


@pytest.mark.slow
@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("ways", ["products", "grouped", "shifted"])
@pytest.mark.parametrize("name", DIFFERING)
def test_weights_after_100_steps_at_either_size(name: str, ways: str, size: int) -> None:
    check(DIFFERING[name], 100, ways, size)


@pytest.mark.parametrize("name", FEW_STEPS)
def test_other_methods_and_settings_go_together_too(name: str) -> None:
    check(FEW_STEPS[name], 5, "products")


@pytest.mark.parametrize("ways", ["grouped", "shifted"])
def test_other_convolutions_give_the_same(ways: str) -> None:
    check(DIFFERING["beta_vae"], 10, ways)


def test_a_run_that_diverges_leaves_the_others_as_they_were() -> None:
    feeds, states = begun(("beta_vae", {}, [{}, {"learning_rate": 1e9}, {"beta": 2.0}]))
    many = Many(feeds, states)
    losses = torch.stack([many.step(step)["loss"] for step in range(20)])
    assert losses[:, [0, 2]].isfinite().all()
    assert not losses[-1, 1].isfinite()
    for n in (0, 2):
        expected = fresh(feeds)[n]
        alone(feeds[n], expected, range(20))
        assert distance(states[n], expected) < 1e-9


def test_each_run_draws_where_it_drew_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU one may draw on the host, for it was begun so, and another on the device."""
    feeds, states = begun(("beta_vae", {}, [{}, {"beta": 2.0}]))
    feeds[1].noise_device = torch.device("cpu", 0)
    made: list[torch.device] = []

    class Watched(torch.Generator):
        def __new__(cls, device: torch.device) -> Watched:
            made.append(device)
            return super().__new__(cls, device)

    monkeypatch.setattr(torch, "Generator", Watched)
    Many(feeds, states).step(0)
    assert made == [torch.device("cpu"), torch.device("cpu", 0)]


def test_runs_go_on_from_different_steps_and_part_again() -> None:
    feeds, states = begun(DIFFERING["factor_vae"])
    for feed, state, start in zip(feeds, states, (0, 3, 7), strict=True):
        alone(feed, state, range(start))
    many = Many(feeds, states)
    for step in range(5):
        many.step([step, step + 3, step + 7])
    fewer = Many(feeds[1:], states[1:])
    for step in range(5, 8):
        fewer.step([step + 3, step + 7])
    for feed, state, expected, done in zip(feeds, states, fresh(feeds), (5, 11, 15), strict=True):
        saved = {name: value.clone() for name, value in state.tensors().items()}
        state = feed.learner.state(feed.facts, torch.Generator())
        state.load(saved)
        state.modules.train()
        alone(feed, state, range(done, done + 2))
        alone(feed, expected, range(done + 2))
        assert distance(state, expected) < 1e-9


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (("qlae", {}, [{}, {}]), "QLAE has a step of its own"),
        (("beta_vae", {}, [{}, {"latents": 4}]), "they differ in more than numbers"),
        (("beta_vae", {"compile": True}, [{}, {}]), "they have compile=true"),
    ],
)
def test_runs_that_cannot_go_together_say_why(case: tuple[str, dict[str, Any], Runs], reason: str) -> None:
    feeds, states = begun(case)
    with pytest.raises(BadInput, match=f"cannot be trained as one: {reason}"):
        Many(feeds, states)


def test_weight_decay_stays_alone() -> None:
    feeds, states = begun(("beta_vae", {}, [{}, {}]))
    for state in states:
        state.optimisers["adam"] = torch.optim.AdamW(state.modules.parameters())
    with pytest.raises(BadInput, match="their optimiser is AdamW, not Adam"):
        Many(feeds, states)


def test_float32_runs_agree_to_its_rounding() -> None:
    name, shared, runs = DIFFERING["beta_vae"]
    feeds, states = begun((name, shared | {"precision": "float32"}, runs))
    many = Many(feeds, states)
    for step in range(5):
        many.step(step)
    for feed, state, expected in zip(feeds, states, fresh(feeds), strict=True):
        alone(feed, expected, range(5))
        ours, theirs = state.modules.state_dict(), expected.modules.state_dict()
        for key, value in ours.items():
            assert value.dtype == torch.float32
            assert torch.allclose(value, theirs[key], rtol=0, atol=5e-4), dataclasses.asdict(feed.learner)


#: why runs of a method are trained alone; every other one that takes steps goes together
ALONE = {
    "qlae": "QLAE has a step of its own",
    "info_gan": "InfoGAN has a step of its own",
    "info_wgan_gp": "InfoWGANGP has a step of its own",
    "disbm": "DisBM has a step of its own",
    "dc_ign": "batches whose 'varying' differ cannot be stacked",
}


def takes_steps(name: str) -> bool:
    """Whether a method is trained by steps, and stands on no other run."""
    kind = registry.get("methods", name)
    return not kind.fitted and not any(needed for *_, needed in kind.base_settings())


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("name", [*filter(takes_steps, registry.names("methods"))])
def test_every_method_goes_together_or_says_why(name: str) -> None:
    settings = {"latents": 5, "batch_size": 8} | ({} if name in ALONE else {"precision": "float64"})
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=2, scale=2)
    feeds = [Feed(registry.get("methods", name)(**settings), data, seed) for seed in (0, 1)]
    states = fresh(feeds)
    if name in ALONE:
        with pytest.raises(BadInput, match=ALONE[name]):
            Many(feeds, states).step(0)
        return
    many = Many(feeds, states)
    for step in range(3):
        many.step(step)
    for feed, state, expected in zip(feeds, states, fresh(feeds), strict=True):
        alone(feed, expected, range(3))
        assert distance(state, expected) < 1e-9
