"""On a CUDA GPU: graphs against steps one by one, runs together against alone, resumed, and every method."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from standing import trained as on_others
from torch import Tensor

import distaff
from distaff import registry
from distaff.batches.feed import Feed
from distaff.batches.resident import on_device
from distaff.methods.base import Stepped
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.state import State
from distaff.training.device import arithmetic
from distaff.training.graph import Graph, OneByOne, Uncapturable, graph_of
from distaff.training.many import Many
from distaff.training.run import Run
from distaff.training.side_by_side import graph_of_some
from distaff.training.together import train_together
from distaff.training.train import Asked

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")

GPU = torch.device("cuda")
SMALL = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}
STEPPED = [name for name in registry.names("methods") if not registry.get("methods", name).fitted]
#: what Python decides anew for each batch, or in the middle of a step
ONE_BY_ONE = {"dc_ign"}
SCHEDULED = {"beta": "linear:1:8:30", "learning_rate": "linear:1e-3:1e-4:30"}
#: rounding of a few steps in float32, whose algorithms may differ
CLOSE = {"rtol": 1e-3, "atol": 1e-4}


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    with arithmetic():
        yield


def data() -> Any:
    return on_device(distaff.load_dataset("dsprites", **SMALL), GPU)


def started(method: Stepped, images: Any, seed: int = 3) -> tuple[Feed, State]:
    feed = Feed(method, images, seed, GPU, noise="device")
    state = method.state(feed.facts, torch.Generator().manual_seed(seed))
    state.modules.to(GPU).train()
    return feed, state


def after(taken: OneByOne | Graph, steps: range) -> list[Any]:
    return [values.tolist() for _, values in map(taken.step, steps)]


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor], **close: float) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].cpu(), value.cpu(), **close, err_msg=name)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("beta_vae", {}),
        ("beta_vae", SCHEDULED),
        ("beta_vae", {"precision": "tf32"}),
        ("beta_vae", {"label_loss": "squared", "labelled_images": 50}),
        ("factor_vae", {}),
        ("beta_tc_vae", {}),
        ("ada_gvae", {}),
        ("annealed_vae", {}),
        ("autoencoder", {"corruption": "rectangle"}),
    ],
)
def test_a_graph_takes_the_steps_that_are_taken_one_by_one(name: str, settings: dict[str, Any]) -> None:
    method, images, steps = registry.get("methods", name)(**settings), data(), range(90, 120)
    alone, other = started(method, images), started(method, images)
    with arithmetic(settings.get("precision") == "tf32"):
        expected = after(OneByOne(*alone), steps)
        found = after(graph_of(*other, steps), steps)
    np.testing.assert_allclose(found, expected, **CLOSE)
    assert_close(other[1].tensors(), alone[1].tensors(), **CLOSE)


def test_the_steps_that_follow_see_other_images_and_other_noise() -> None:
    feed, state = started(BetaVAE(learning_rate=0.0), data())
    taken = graph_of(feed, state, range(4))
    losses = [float(taken.step(step)[1][0]) for step in range(4)]
    assert len(set(losses)) == 4


@pytest.mark.parametrize("way", ["products", "grouped"])
def test_runs_as_one_graph_equal_each_alone(way: str) -> None:
    images, steps = data(), range(20)
    methods = [BetaVAE(precision="float64", **own) for own in ({"beta": 1.0}, SCHEDULED, {"beta": 8.0})]
    runs = [started(method, images, seed) for seed, method in enumerate(methods)]
    alone = [started(method, images, seed) for seed, method in enumerate(methods)]
    many = Many([feed for feed, _ in runs], [state for _, state in runs], way)
    taken = Graph([feed for feed, _ in runs], many.take, many, steps, many.moving)
    found = np.array(after(taken, steps))
    for place, (own, (_, state)) in enumerate(zip(alone, runs, strict=True)):
        close = {"rtol": 1e-5, "atol": 1e-6} if place == 1 else {"rtol": 1e-8, "atol": 1e-9}
        np.testing.assert_allclose(found[:, :, place], after(OneByOne(*own), steps), **close)
        assert_close(state.tensors(), own[1].tensors(), **close)


@pytest.mark.parametrize(("count", "branches"), [(3, 3), (5, 2)])
def test_runs_in_branches_of_a_graph_equal_each_alone_to_the_last_bit(count: int, branches: int) -> None:
    images, steps = data(), range(90, 110)
    methods = [BetaVAE(beta=1.0 + seed) for seed in range(count - 1)] + [BetaVAE(**SCHEDULED)]
    runs, alone = ([started(m, images, seed) for seed, m in enumerate(methods)] for _ in range(2))
    feeds, states = zip(*runs, strict=True)
    found = np.array(after(graph_of_some(feeds, states, steps, branches), steps))
    for run, (feed, state) in enumerate(alone):
        np.testing.assert_array_equal(found[:, :, run], after(graph_of(feed, state, steps), steps))
        assert_close(states[run].tensors(), state.tensors(), rtol=0, atol=0)


def trained(out: Path, steps: int, **more: Any) -> Run:
    settings = {"learning_rate": 1e-3, "device": "cuda", "show": False, "threads": 1} | more
    images = distaff.load_dataset("dsprites", **SMALL)
    return distaff.train(settings.pop("method", "beta_vae"), images, steps=steps, out=out, **settings)


@pytest.mark.parametrize("noise", ["host", "device"])
@pytest.mark.parametrize("method", ["beta_vae", "factor_vae"])
def test_a_run_that_stops_on_the_way_ends_with_the_same_bytes(
    tmp_path: Path, noise: str, method: str
) -> None:
    whole = trained(tmp_path / "whole", 170, noise=noise, method=method)
    for steps in (60, 130, 170):
        broken = trained(tmp_path / "broken", steps, noise=noise, method=method)
    assert broken.config.noise == noise
    weights = [(run.folder / "model.safetensors").read_bytes() for run in (whole, broken)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("method", ["beta_vae", "info_gan"])
def test_runs_trained_together_are_to_the_last_bit_what_they_are_alone(tmp_path: Path, method: str) -> None:
    made = registry.get("methods", method)(learning_rate=1e-3)
    asked = [Asked(made, steps, seed, tmp_path / f"{seed}") for seed, steps in enumerate((130, 130, 150))]
    together = train_together(asked, distaff.load_dataset("dsprites", **SMALL), device="cuda", show=False)
    for each, run in zip(asked, together, strict=True):
        alone = trained(tmp_path / f"alone{each.seed}", each.steps, method=method, seed=each.seed)
        weights = [(other.folder / "model.safetensors").read_bytes() for other in (run, alone)]
        assert weights[0] == weights[1]
        assert [line["loss"] for line in run.history()] == [line["loss"] for line in alone.history()]


def test_it_learns_encodes_decodes_and_is_scored(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", 400)
    assert (run.config.device, run.config.noise) == ("cuda", "device")
    lines = run.history()
    assert lines[-1]["loss"] < lines[0]["loss"]
    images = run.data.images(np.arange(100))
    codes = run.encode(images)
    assert all(type(part) is np.ndarray for part in codes)
    assert run.decode(codes.mean).shape == images.shape
    assert 0 <= distaff.evaluate(run, metrics=["mig"], values_only=True, show=False)["mig"].value <= 1
    text = (run.folder / "config.json").read_text()
    (run.folder / "config.json").write_text(text.replace('"cuda"', '"cpu"'))
    np.testing.assert_allclose(
        distaff.load_run(run.folder, run.data).encode(images).mean, codes.mean, **CLOSE
    )


@pytest.mark.parametrize("precision", ["tf32", "bfloat16", "float64"])
def test_other_arithmetic_goes_the_same_way(tmp_path: Path, precision: str) -> None:
    exact, other = (
        trained(tmp_path / kind, 200, precision=kind).history()[-1] for kind in ("float32", precision)
    )
    assert other["loss"] == pytest.approx(exact["loss"], rel=0.05)


@pytest.mark.parametrize("name", registry.names("methods"))
def test_every_method_is_trained_and_encodes(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = distaff.load_dataset("dsprites", **SMALL)
    run = on_others(name, images, tmp_path, steps=20, device="cuda", show=True)
    codes = run.encode(images.images(np.arange(10)))
    assert type(codes.mean) is np.ndarray
    assert np.isfinite(codes.mean).all()
    said = capsys.readouterr().err
    assert ("one by one" in said) == (name in ONE_BY_ONE), said


class Asking(BetaVAE):
    """A VAE that wants to know its loss before it goes on."""

    def loss(self, modules: Any, batch: Any, rng: Any) -> Any:
        loss = super().loss(modules, batch, rng)
        assert float(loss.total.detach()) > 0
        return loss


def test_a_step_that_asks_for_a_value_is_refused_and_can_be_taken_one_by_one() -> None:
    images = data()
    feed, state = started(Asking(), images)
    fresh = {name: value.clone() for name, value in state.tensors().items()}
    with pytest.raises(Uncapturable):
        graph_of(feed, state, range(9))
    assert all(torch.equal(state.tensors()[name], value) for name, value in fresh.items())
    usual = started(BetaVAE(), images)
    expected = after(OneByOne(*usual), range(9))
    np.testing.assert_allclose(after(OneByOne(feed, state), range(9)), expected, **CLOSE)
    assert_close(state.tensors(), usual[1].tensors(), **CLOSE)
