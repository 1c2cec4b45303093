"""InfoGAN and InfoWGAN-GP against plain statements of their formulas."""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import distaff
from distaff import registry
from distaff.batches.batch import Batch, Facts
from distaff.cli import app
from distaff.errors import BadInput
from distaff.methods.info_gan import InfoGAN, categorical_information, continuous_information
from distaff.methods.info_wgan_gp import InfoWGANGP, gradient_norms

FACTS = Facts((1, 16, 16), 1000)

COMMANDS = [line.split() for line in inspect.getdoc(InfoGAN).splitlines() if "distaff train" in line]
#: categorical codes, their values and continuous codes (Chen et al. 2016); digits stand for MNIST
CODES = {
    "digits": (1, 10, 2),
    "faces3d": (0, 10, 5),
    "chairs3d": (4, 20, 1),
    "svhn": (4, 10, 2),
    "celeba": (10, 10, 0),
}


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def started(method: InfoGAN, n: int = 6):
    state = method.state(FACTS, draw())
    return state, torch.rand((n, 1, 16, 16), generator=draw(1))


def changed(before: dict, after: dict) -> set[str]:
    """The networks of which a weight differs."""
    return {name.split("/")[1].split(".")[0] for name in before if not torch.equal(before[name], after[name])}


def copied(state) -> dict:
    return {name: value.clone() for name, value in state.tensors().items() if name.startswith("model/")}


def test_the_information_of_categorical_codes() -> None:
    logits = np.random.default_rng(0).normal(size=(7, 3, 4))
    values = np.eye(4)[np.random.default_rng(1).integers(4, size=(7, 3))]
    q = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    expected = np.mean([np.log(q[i][values[i] == 1]).sum() for i in range(7)]) + 3 * np.log(4)
    found = categorical_information(torch.tensor(logits), torch.tensor(values))
    assert float(found) == pytest.approx(expected)


def test_the_information_of_numbers() -> None:
    rng = np.random.default_rng(0)
    means, values = rng.normal(size=(7, 2)), rng.uniform(-1, 1, size=(7, 2))
    density = np.exp(-((values - means) ** 2) / 2) / np.sqrt(2 * np.pi)
    expected = np.log(density).sum(axis=1).mean() + 2 * np.log(2)  # the entropy of U(-1, 1) is ln 2
    found = continuous_information(torch.tensor(means), torch.tensor(values))
    assert float(found) == pytest.approx(expected)


def test_perfect_knowledge_is_worth_the_entropy_and_none_is_worth_nothing() -> None:
    values = torch.eye(10)[:, None]
    assert float(categorical_information(1000 * values, values)) == pytest.approx(math.log(10))
    assert float(categorical_information(0 * values, values)) == pytest.approx(0, abs=1e-6)


def test_the_codes_that_are_drawn() -> None:
    codes, noise = InfoGAN(categorical=3, categories=5, latents=2).draw(4000, draw())
    assert codes.shape == (4000, 17)
    assert noise.shape == (4000, 62)
    parts = codes[:, :15].reshape(4000, 3, 5)
    assert (parts.sum(dim=2) == 1).all()
    assert (parts.max(dim=2).values == 1).all()
    assert parts.mean(dim=0) == pytest.approx(torch.full((3, 5), 0.2), abs=0.03)
    for uniform in (codes[:, 15:], noise):
        assert -1 <= uniform.min() < -0.99 < 0.99 < uniform.max() <= 1
        assert float(uniform.var()) == pytest.approx(1 / 3, abs=0.02)


def test_every_data_set_of_the_paper_has_its_command() -> None:
    assert [command[4] for command in COMMANDS] == list(CODES)


@pytest.mark.parametrize("command", COMMANDS, ids=list(CODES))
def test_the_commands_make_the_codes_of_the_paper(command: list[str], tmp_path: Path) -> None:
    name = command[4]
    categorical, categories, numbers = CODES[name]
    needs_file = bool(registry.get("datasets", name).places)
    data = ["--dataset", "digits"] if needs_file else []  # the last one counts
    small = [] if needs_file or name == "digits" else ["--data", "resolution=16"]
    few = ["--set", "batch_size=8", "--steps", "1", "--threads", "1", "--out", str(tmp_path / "run")]
    app([*command[1:], *data, *small, *few], standalone_mode=False)
    run = distaff.load_run(tmp_path / "run")
    method = run.method
    assert isinstance(method, InfoGAN)
    assert (method.information_weight, method.noise_dims) == (1, 62)
    codes, noise = method.draw(500, draw())
    assert noise.shape == (500, 62)
    border = categorical * categories
    assert codes.shape == (500, border + numbers)
    assert (codes[:, :border].unflatten(1, (categorical, categories)).sum(dim=2) == 1).all()
    assert set(codes[:, :border].unique().tolist()) <= {0, 1}
    assert all(-1 <= column.min() < -0.9 < 0.9 < column.max() <= 1 for column in codes[:, border:].T)
    assert run.encode(run.data.images(np.arange(3))).mean.shape == (3, border + numbers)
    assert run.decode(codes[:2].numpy()).shape == (2, *run.data.image_shape)


def test_the_losses_of_the_game() -> None:
    method = InfoGAN()
    state, images = started(method)
    features = state.modules["trunk"](images)
    logits = state.modules["discriminator"](features).detach().numpy()[:, 0].astype(float)
    real, fake = 1 / (1 + np.exp(-logits[:3])), 1 / (1 + np.exp(-logits[3:]))
    own, _ = method.discriminator_loss(state.modules, features, images[:3], images[3:], draw())
    assert float(own.detach()) == pytest.approx(-np.log(real).mean() - np.log(1 - fake).mean(), rel=1e-5)
    assert float(method.generator_loss(torch.tensor(logits))) == pytest.approx(
        -np.log(np.concatenate([real, fake])).mean()
    )


def test_the_critic_s_loss_with_a_gradient_by_differences() -> None:
    method = InfoWGANGP(gradient_penalty=7)
    state, images = started(method)
    modules = state.modules.double()
    images = images.double()
    between = images[:3] + torch.rand((3, 1, 1, 1), generator=draw(4)) * (images[3:] - images[:3])

    def critic(some: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return modules["discriminator"](modules["trunk"](some))[:, 0]

    steps = 1e-6 * torch.eye(256, dtype=torch.float64).reshape(256, 1, 16, 16)
    slopes = [(critic(one + steps) - critic(one - steps)).numpy() / 2e-6 for one in between]
    expected = np.linalg.norm(slopes, axis=1)
    assert gradient_norms(modules, between).detach().numpy() == pytest.approx(expected, rel=1e-4)

    features = modules["trunk"](images)
    own, terms = method.discriminator_loss(modules, features, images[:3], images[3:], draw(2))
    share = torch.rand((3, 1, 1, 1), generator=draw(2))
    norms = gradient_norms(modules, share * images[:3] + (1 - share) * images[3:]).detach().numpy()
    values = critic(images).numpy()
    distance = values[:3].mean() - values[3:].mean()
    assert float(own.detach()) == pytest.approx(-distance + 7 * ((norms - 1) ** 2).mean())
    assert float(terms["wasserstein"].detach()) == pytest.approx(distance)
    assert float(terms["gradient_norm"].detach()) == pytest.approx(norms.mean())


@pytest.mark.parametrize("method", [InfoGAN(), InfoWGANGP()])
def test_each_side_moves_its_own_networks(method: InfoGAN) -> None:
    state, images = started(method)
    start = copied(state)
    method.discriminator_step(state, images, draw(2))
    middle = copied(state)
    assert changed(start, middle) == {"trunk", "discriminator", "recogniser"}
    method.generator_step(state, images, draw(3))
    assert changed(middle, copied(state)) == {"generator"}


@pytest.mark.parametrize("method", [InfoGAN, InfoWGANGP])
def test_without_weight_only_q_hears_of_the_codes(method: type[InfoGAN]) -> None:
    """With lambda 0 the game is the same whatever Q is, and Q itself learns; with lambda 1 it is not."""
    for weight, differing in (
        (0.0, {"recogniser"}),
        (1.0, {"recogniser", "trunk", "discriminator", "generator"}),
    ):
        states = []
        for scale in (1, -2):
            state, images = started(method(information_weight=weight))
            with torch.no_grad():
                state.modules["recogniser"][2].weight.mul_(scale)
            for step in range(2):
                method(information_weight=weight).step(state, Batch(images, 1000), draw(step))
            states.append(state)
        assert changed(copied(states[0]), copied(states[1])) == differing
    fresh, _ = started(method())
    assert "recogniser" in changed(copied(fresh), copied(states[0]))


def test_the_critic_takes_several_steps_for_one_of_the_generator() -> None:
    method = InfoWGANGP(critic_steps=3)
    state, images = started(method)
    method.step(state, Batch(images, 1000), draw())
    steps = {name.split("/")[1]: int(v) for name, v in state.tensors().items() if name.endswith("/step")}
    assert steps == {"generator": 1, "discriminator": 3}


def test_codes_are_probabilities_then_means_and_decoding_takes_the_likeliest() -> None:
    method = InfoGAN(categorical=2, categories=3, latents=1)
    state, images = started(method)
    with torch.no_grad():
        codes = method.encode(state.modules, images, draw()).mean
        alone = method.encode(state.modules, images[2:3], draw()).mean
        exact = torch.tensor([[0.0, 1, 0, 1, 0, 0, 0.5]])
        soft = torch.tensor([[0.2, 0.5, 0.3, 2.0, -1, 1, 0.5]])
        pictures = [method.decode(state.modules, one) for one in (exact, soft)]
        by_hand = method.generate(state.modules, exact, torch.zeros(1, 62))
    assert codes.shape == (6, method.code_size(FACTS)) == (6, 7)
    assert codes[:, :6].reshape(6, 2, 3).sum(dim=2) == pytest.approx(torch.ones(6, 2))
    assert alone == pytest.approx(codes[2:3], abs=1e-6)
    assert torch.equal(pictures[0], pictures[1])
    assert torch.equal(pictures[0], by_hand)


def test_information_rises_with_its_weight() -> None:
    images = (torch.rand((32, 1, 16, 16), generator=draw(9)) > 0.5).float()
    method = InfoGAN(network="conv", latents=0, categories=2, information_weight=5, batch_size=32)
    state = method.state(FACTS, draw())
    terms = [method.step(state, Batch(images, 1000), draw(step)) for step in range(80)]
    assert float(terms[0]["categorical_information"]) < 0.1
    assert 0.5 < float(terms[-1]["categorical_information"]) <= math.log(2)


@pytest.mark.parametrize(
    ("settings", "part"), [({"categorical": 0}, "continuous"), ({"latents": 0}, "categorical")]
)
def test_one_kind_of_code_alone(settings: dict, part: str) -> None:
    method = InfoGAN(network="fc", noise_dims=3, **settings)
    state, images = started(method)
    terms = method.step(state, Batch(images, 1000), draw())
    assert terms.keys() == {"loss", "generator", "discriminator", f"{part}_information"}
    assert method.encode(state.modules, images, draw()).mean.shape == (6, method.code_size(FACTS))


def test_codes_that_cannot_be() -> None:
    with pytest.raises(BadInput, match="latents=0 and categorical=0"):
        InfoGAN(categorical=0, latents=0)
    with pytest.raises(BadInput, match="categories=1 is out of range"):
        InfoGAN(categories=1)
