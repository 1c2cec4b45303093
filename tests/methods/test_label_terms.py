"""Label terms against loops, and what they do to a VAE."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import distaff
from distaff.batches.batch import Batch, Facts
from distaff.batches.feed import Feed
from distaff.errors import BadInput
from distaff.methods.label_term import LABEL_TERMS, Covariance, CrossEntropy, Embedding, Squared
from distaff.methods.vae import VAE

SIZES = (3, 5, 4)
RNG = np.random.default_rng(0)
B, K = 8, len(SIZES)
MEANS = 1.5 * RNG.standard_normal((B, K))
LABELS = np.stack([RNG.integers(size, size=B) for size in SIZES], axis=1)
TERMS = pytest.mark.parametrize("name", list(LABEL_TERMS))


def value(term: torch.nn.Module) -> float:
    return float(term.double()(torch.tensor(MEANS), torch.tensor(LABELS)).detach())


def test_cross_entropy_of_the_labels_place_in_0_to_1() -> None:
    expected = 0.0
    for i in range(B):
        for j in range(K):
            y, p = LABELS[i, j] / (SIZES[j] - 1), 1 / (1 + math.exp(-MEANS[i, j]))
            expected -= (y * math.log(p) + (1 - y) * math.log(1 - p)) / B
    assert value(CrossEntropy(SIZES)) == pytest.approx(expected, rel=1e-5)


def test_squared_error_of_the_label_by_a_learned_number_times_the_mean() -> None:
    term = Squared(SIZES)
    assert [parameter.tolist() for parameter in term.parameters()] == [1.0]
    for scale in (1.0, 2.5):
        term.scale.data.fill_(scale)
        expected = sum((scale * MEANS[i, j] - LABELS[i, j]) ** 2 for i in range(B) for j in range(K)) / B
        assert value(term) == pytest.approx(expected, rel=1e-5)


def test_squared_covariances_of_latents_with_other_labels() -> None:
    expected = 0.0
    for a in range(K):
        for b in range(K):
            mean, label = MEANS[:, a].sum() / B, LABELS[:, b].sum() / B
            covariance = sum((MEANS[i, a] - mean) * (LABELS[i, b] - label) for i in range(B)) / B
            expected += covariance**2 if a != b else 0
    assert value(Covariance(SIZES)) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_of_the_label_by_squared_distance_from_learned_numbers() -> None:
    term = Embedding(SIZES)
    assert [len(places) for places in term.places] == list(SIZES)
    for places in term.places:
        places.data = torch.tensor(RNG.standard_normal(len(places)))
    expected = 0.0
    for j, places in enumerate(places.detach().numpy() for places in term.places):
        for i in range(B):
            scores = [math.exp(-((MEANS[i, j] - place) ** 2)) for place in places]
            expected -= math.log(scores[LABELS[i, j]] / sum(scores)) / B
    assert value(term) == pytest.approx(expected, rel=1e-5)


@TERMS
def test_terms_do_not_depend_on_how_often_the_batch_is_repeated(name: str) -> None:
    term = LABEL_TERMS[name](SIZES).double()
    twice = term(torch.tensor(MEANS).repeat(2, 1), torch.tensor(LABELS).repeat(2, 1))
    assert float(twice.detach()) == pytest.approx(value(LABEL_TERMS[name](SIZES)), rel=1e-6)


def made(method: VAE) -> tuple[torch.nn.ModuleDict, Batch]:
    modules = method.state(Facts((1, 16, 16), 100, (), SIZES), torch.Generator().manual_seed(0)).modules
    images = torch.rand((2 * B, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    return modules, Batch(images[:B], 100, None, images[B:], torch.tensor(LABELS))


@TERMS
def test_the_loss_is_the_vaes_plus_the_weighted_term_of_the_first_means(name: str) -> None:
    method = VAE(latents=7, label_loss=name, label_weight=2.5)
    modules, batch = made(method)
    plain = VAE(latents=7).loss(modules, batch, torch.Generator().manual_seed(2))
    means = modules["encoder"](batch.labelled)[:, :K]
    expected = LABEL_TERMS[name](SIZES)(means, batch.labels).detach()
    loss = method.with_labels(modules, batch, method.loss(modules, batch, torch.Generator().manual_seed(2)))
    assert float(loss.terms["label_term"].detach()) == pytest.approx(float(expected), rel=1e-5)
    total = float(plain.total.detach()) + 2.5 * float(expected)
    assert float(loss.total.detach()) == pytest.approx(total, rel=1e-6)


@TERMS
def test_a_weight_of_0_gives_the_vaes_gradients(name: str) -> None:
    gradients = []
    for method in (VAE(), VAE(label_loss=name, label_weight=0.0)):
        modules, batch = made(method)
        networks = [*modules["encoder"].parameters(), *modules["decoder"].parameters()]
        loss = method.with_labels(
            modules, batch, method.loss(modules, batch, torch.Generator().manual_seed(2))
        )
        gradients.append(torch.autograd.grad(loss.total, networks))
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


@TERMS
def test_what_the_term_learns_is_trained_and_kept(name: str) -> None:
    method = VAE(label_loss=name, learning_rate=0.01)
    modules, batch = made(method)
    state = method.state(Facts((1, 16, 16), 100, (), SIZES), torch.Generator().manual_seed(0))
    method.step(state, batch, torch.Generator().manual_seed(2))
    learned = {key for key in state.tensors() if key.startswith("model/labels.")}
    expected = {"squared": {"scale"}, "embedding": {f"places.{j}" for j in range(K)}}.get(name, set())
    assert learned == {f"model/labels.{key}" for key in expected}
    before = {f"model/{key}": tensor for key, tensor in modules.state_dict().items()}
    assert all(not torch.equal(before[key], state.tensors()[key]) for key in learned)


@TERMS
def test_training_lowers_the_term(name: str) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=1)
    method = VAE(label_loss=name, label_weight=10.0, labelled_images=100, batch_size=32, learning_rate=1e-3)
    feed = Feed(method, data, 0)
    state = method.state(feed.facts, torch.Generator().manual_seed(0))
    found = []
    for step in range(150):
        batch, rng = feed.at(step)
        found.append(float(method.step(state, batch, rng)["label_term"]))
    assert np.mean(found[-10:]) < 0.8 * np.mean(found[:10])


@TERMS
def test_every_label_needs_a_latent(name: str) -> None:
    facts = Facts((1, 16, 16), 100, (), SIZES)
    with pytest.raises(BadInput, match=f"label_loss={name} needs a latent for each of the 3 labels"):
        VAE(latents=2, label_loss=name).check(facts)
    VAE(latents=3, label_loss=name).check(facts)


def test_without_a_label_term_nothing_is_asked_of_labels() -> None:
    VAE(latents=2).check(Facts((1, 16, 16), 100, (), SIZES))
    assert VAE().labelled_part is None
    asked = VAE(label_loss="squared", labelled_images=50, labeller="noisy", label_seed=3).labelled_part
    assert asked == {"count": 50, "labeller": "noisy", "seed": 3}


def test_settings_of_labels_without_a_label_term_are_refused(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16)
    with pytest.raises(BadInput, match="labeller=noisy has no effect without label_loss"):
        distaff.train("vae", data, labeller="noisy", steps=1, out=tmp_path / "run", show=False)
    assert not (tmp_path / "run").exists()
