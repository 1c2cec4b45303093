"""Schedules: their values, their notation, their place among the settings, and training through them."""

import dataclasses
import itertools
import math
from pathlib import Path

import pytest
import torch

import distaff
from distaff import registry
from distaff.batches.batch import Batch, Facts
from distaff.batches.feed import Feed
from distaff.errors import BadInput
from distaff.methods.annealed_vae import AnnealedVAE
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.factor_vae import FactorVAE
from distaff.methods.slow_vae import SlowVAE
from distaff.networks.threads import torch_threads
from distaff.schedules import parse


@pytest.mark.parametrize("step", [0, 1, 2, 5, 8, 9, 10, 11, 1000])
@pytest.mark.parametrize(("first", "last"), [(0.0, 25.0), (4.0, 1.0), (-2.0, 3.5)])
def test_values(first: float, last: float, step: int) -> None:
    done = min(step, 10) / 10
    expected = {
        "constant": first if step < 10 else last,
        "linear": (1 - done) * first + done * last,
        "cosine": last + (first - last) * math.cos(math.pi * done / 2) ** 2,  # the half-angle form
    }
    for shape, value in expected.items():
        assert parse(f"{shape}:{first}:{last}:10").at(step) == pytest.approx(value, rel=1e-9, abs=1e-12)


def test_a_constant_is_its_value_at_every_step() -> None:
    assert [parse("constant:4").at(step) for step in (0, 1, 10**9)] == [4, 4, 4]


def test_cosine_begins_and_ends_slowly() -> None:
    values = [parse("cosine:0:1:100").at(step) for step in range(101)]
    assert values == sorted(values)
    steps = [after - before for before, after in itertools.pairwise(values)]
    assert max(steps[0], steps[-1]) < 0.05 * steps[50]


@pytest.mark.parametrize(
    "text",
    ["4", "linear", "linear:1", "linear:0:1", "linear:0:1:2:3", "cosine:0:1:", "linear:a:1:10",
     "linear:0:1:1.5", "linear:0:1:0", "linear:0:1:-5", "linear:0:inf:10", "linear:nan:1:10",
     "linear:0:1:inf", "constant:", "constant:nan", "constant:1:2", ""],
)  # fmt: skip
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(BadInput, match="it must be a number or a schedule: constant:VALUE, or"):
        parse(text)
    with pytest.raises(BadInput, match=r"beta='.*' is not allowed; it must be a number or a schedule"):
        BetaVAE(beta=text)


@pytest.mark.parametrize("text", ["lineer:0:1:10", ":0:1:10", "4:0:1:10"])
def test_a_shape_that_does_not_exist(text: str) -> None:
    with pytest.raises(BadInput, match="unknown schedule"):
        parse(text)
    with pytest.raises(BadInput, match=r"beta=.* unknown schedule .* linear"):
        BetaVAE(beta=text)


@pytest.mark.parametrize("text", ["linear:-1:4:10", "linear:4:-1:10", "cosine:-1:4:10", "constant:-1"])
def test_both_ends_must_be_in_range(text: str) -> None:
    with pytest.raises(BadInput, match=r"beta=-1\.0 is out of range; it must be at least 0"):
        BetaVAE(beta=text)


def test_ends_may_lie_on_the_border_only_where_that_is_allowed() -> None:
    assert BetaVAE(beta="linear:0:4:10").at(0).beta == 0
    assert BetaVAE(learning_rate="cosine:0.001:0:100").at(100).learning_rate == 0
    with pytest.raises(BadInput, match=r"prior_rate=0\.0 is out of range; it must be more than 0"):
        SlowVAE(prior_rate="linear:6:0:10")


def test_what_does_not_change_is_the_number() -> None:
    assert BetaVAE(beta="constant:4") == BetaVAE(beta=4)
    assert BetaVAE(beta="linear:4:4:10") == BetaVAE(beta=4.0)
    assert BetaVAE(beta="constant:4").beta == 4.0


@pytest.mark.parametrize("name", ["latents", "batch_size", "label_seed"])
def test_whole_numbers_are_no_schedules(name: str) -> None:
    with pytest.raises(BadInput, match=f"{name}='linear:8:16:10' is not allowed; it must be a whole number"):
        BetaVAE(**{name: "linear:8:16:10"})


def test_at_a_step_only_schedules_become_numbers() -> None:
    method = FactorVAE(
        latents=7,
        gamma="linear:0:10:100",
        learning_rate="cosine:0.01:0.001:10",
        label_loss="squared",
        label_seed=3,
    )
    now = method.at(50)
    assert type(now) is FactorVAE
    assert (now.gamma, now.learning_rate) == pytest.approx((5, 0.001))
    assert dataclasses.replace(now, gamma=method.gamma, learning_rate=method.learning_rate) == method


def test_without_schedules_it_is_the_same_object() -> None:
    method = BetaVAE(beta=3.0)
    assert method.at(0) is method
    assert method.at(10**6) is method


@pytest.mark.parametrize(
    "name", [n for n in registry.names("methods") if registry.get("methods", n).scheduled]
)
def test_every_real_number_may_be_a_schedule(name: str) -> None:
    cls = registry.get("methods", name)
    for field in dataclasses.fields(cls):
        if field.type in (float, "float"):
            low = field.metadata["low"] if field.metadata["above"] is None else 1e-4
            last = 1 if field.metadata["high"] is None else field.metadata["high"]
            needed, _, wanted = field.metadata["only_with"].partition("=")
            choices = {other.name: other.metadata["choices"] for other in dataclasses.fields(cls)}
            beside = {needed: wanted or choices[needed][-1]} if needed else {}
            method = cls(**{field.name: f"linear:{low}:{last}:10"}, **beside)
            values = [getattr(method.at(step), field.name) for step in (0, 5, 10, 11)]
            assert values == pytest.approx([low, (low + last) / 2, last, last], rel=1e-9), field.name


SMOOTH = pytest.mark.parametrize("shape", ["linear", "cosine"])


@SMOOTH
def test_the_last_value_is_reached_exactly(shape: str) -> None:
    assert parse(f"{shape}:0.7:0.1:10").at(10) == 0.1


@SMOOTH
def test_a_schedule_whose_ends_are_in_range_never_leaves_it(shape: str) -> None:
    method = BetaVAE(learning_rate=f"{shape}:0.001:1e-20:10")
    assert all(method.at(step).learning_rate > 0 for step in range(12))


def test_a_scheduled_step_size_reaches_the_optimisers() -> None:
    method = FactorVAE(learning_rate="linear:0.001:0.005:4", discriminator_learning_rate="constant:0.1:0.2:2")
    state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
    images = torch.rand((8, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    found = []
    for step in range(6):
        method.at(step).step(state, Batch(images, 100), torch.Generator().manual_seed(step))
        found.append(tuple(state.optimisers[name].param_groups[0]["lr"] for name in state.optimisers))
    expected = [(0.001, 0.1), (0.002, 0.1), (0.003, 0.2), (0.004, 0.2), (0.005, 0.2), (0.005, 0.2)]
    assert list(state.optimisers) == ["adam", "discriminator"]
    assert sum(found, ()) == pytest.approx(sum(expected, ()))


SCHEDULED = {"beta": "cosine:0:8:100", "learning_rate": "linear:0.002:0.0001:80", "label_loss": "squared"}


def start(out: Path, steps: int, **changed: object) -> distaff.Run:
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    settings = {"batch_size": 16, "labelled_images": 50} | SCHEDULED | changed
    return distaff.train("beta_vae", data, steps=steps, out=out, threads=1, show=False, **settings)


def test_a_resumed_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    whole = start(tmp_path / "whole", 120)
    start(tmp_path / "parts", 45)
    parts = start(tmp_path / "parts", 120)
    for name in ("model.safetensors", "checkpoint.safetensors"):
        assert (whole.folder / name).read_bytes() == (parts.folder / name).read_bytes()
    assert parts.config.settings["beta"] == "cosine:0:8:100"
    with pytest.raises(BadInput, match=r"settings\.beta='cosine:0:8:100', not 'cosine:0:9:100'"):
        start(tmp_path / "parts", 120, beta="cosine:0:9:100")


def test_training_takes_each_step_at_its_own_values(tmp_path: Path) -> None:
    run = start(tmp_path / "run", 3, beta="constant:0:50:2")
    feed = Feed(run.method, run.data, 0)
    state = run.method.state(feed.facts, torch.Generator().manual_seed(0))
    with torch_threads(1):  # as the run had
        for step, beta in enumerate((0.0, 0.0, 50.0)):
            now = dataclasses.replace(run.method, beta=beta, learning_rate=0.002 - 0.0019 * step / 80)
            now.step(state, *feed.at(step))
    for name, value in run.modules.state_dict().items():
        torch.testing.assert_close(state.modules.state_dict()[name], value, rtol=1e-5, atol=1e-7)


def test_the_normalised_beta_is_that_of_the_end(tmp_path: Path) -> None:
    assert start(tmp_path / "run", 2, beta="linear:0:8:2").normalised_beta == pytest.approx(8 * 10 / 256)
    weighted = start(tmp_path / "weighted", 1, beta=8.0, reconstruction_weight=16)
    assert weighted.normalised_beta == pytest.approx(8 * 10 / 4096)


def test_the_default_capacity_is_a_schedule() -> None:
    assert AnnealedVAE().capacity == "linear:0:25:100000"
    assert AnnealedVAE().at(40_000).capacity == pytest.approx(10)
