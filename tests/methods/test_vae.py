"""The VAE's loss against plain NumPy, and what beta does."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.stats import norm

from distaff import registry
from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Loss
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.methods.terms import kl_to_prior, negative_log_likelihood
from distaff.methods.vae import VAE
from distaff.settings import setting

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 3, 8, 8))
LOGITS = 3 * RNG.standard_normal((6, 3, 8, 8))


def test_bernoulli_is_summed_over_pixels_and_averaged_over_the_batch() -> None:
    p = 1 / (1 + np.exp(-LOGITS))
    expected = -(IMAGES * np.log(p) + (1 - IMAGES) * np.log(1 - p)).sum(axis=(1, 2, 3)).mean()
    found = negative_log_likelihood(torch.tensor(LOGITS), torch.tensor(IMAGES), "bernoulli")
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_gaussian_is_the_density_of_a_unit_normal() -> None:
    from scipy.stats import norm

    mean = 1 / (1 + np.exp(-LOGITS))
    expected = -norm.logpdf(IMAGES, mean, 1).sum(axis=(1, 2, 3)).mean()
    found = negative_log_likelihood(torch.tensor(LOGITS), torch.tensor(IMAGES), "gaussian")
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_kl_equals_the_integral() -> None:
    from scipy.integrate import quad
    from scipy.stats import norm

    for mean, variance in ((0.0, 1.0), (1.5, 0.2), (-0.3, 3.0)):
        q = norm(mean, np.sqrt(variance))
        integral = quad(lambda z, q=q: q.pdf(z) * (q.logpdf(z) - norm.logpdf(z)), -25, 25)[0]
        found = kl_to_prior(torch.tensor(mean), torch.tensor(np.log(variance)))
        assert float(found) == pytest.approx(integral, abs=1e-5)


def loss_terms(method: VAE) -> tuple[float, dict[str, float]]:
    generator = torch.Generator().manual_seed(0)
    state = method.state(Facts((1, 16, 16), 100), generator)
    batch = torch.rand((12, 1, 16, 16), generator=generator)
    loss = method.loss(state.modules, Batch(batch, 100), torch.Generator().manual_seed(1))
    return float(loss.total.detach()), {name: float(value.detach()) for name, value in loss.terms.items()}


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_beta_weighs_the_kl_and_nothing_else(beta: float) -> None:
    total, terms = loss_terms(BetaVAE(beta=beta))
    assert total == pytest.approx(terms["reconstruction"] + beta * terms["kl"], rel=1e-6)
    assert terms == loss_terms(VAE())[1]


def test_beta_1_is_the_vae() -> None:
    assert loss_terms(BetaVAE(beta=1)) == loss_terms(VAE())


def test_the_whole_loss_is_the_negative_elbo_of_its_own_codes() -> None:
    method = VAE(latents=3)
    state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
    batch = torch.rand((5, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    codes = method.encode(state.modules, batch, torch.Generator().manual_seed(2))
    noise = torch.randn((5, 3), generator=torch.Generator().manual_seed(2))
    mean, logvar = (codes.mean.detach().numpy(), codes.logvar.detach().numpy())
    np.testing.assert_allclose(codes.sample.detach(), mean + np.exp(logvar / 2) * noise.numpy(), rtol=1e-5)
    logits = state.modules["decoder"](codes.sample).detach().numpy().astype(np.float64)
    p, x = 1 / (1 + np.exp(-logits)), batch.numpy().astype(np.float64)
    reconstruction = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum() / 5
    kl = 0.5 * (mean**2 + np.exp(logvar) - logvar - 1).sum() / 5
    loss = method.loss(state.modules, Batch(batch, 100), torch.Generator().manual_seed(2))
    assert float(loss.total.detach()) == pytest.approx(reconstruction + kl, rel=1e-5)


def test_what_is_refused() -> None:
    with pytest.raises(BadInput, match=r"beta=-1\.0 is out of range"):
        BetaVAE(beta=-1)
    with pytest.raises(BadInput, match="one of: conv, fc"):
        VAE(network="resnet")
    with pytest.raises(BadInput, match="latents=0"):
        VAE(latents=0)


def those(kind: type) -> list[str]:
    """The registered methods of a kind."""
    return [name for name in registry.names("methods") if issubclass(registry.get("methods", name), kind)]


def loss_of(method: EncoderDecoder) -> Loss:
    """The loss of a fresh state on the example of the method's kind of batch."""
    facts = Facts((1, 16, 16), 1000, (3, 5, 4), words=(3, 5, 4))
    state = method.state(facts, torch.Generator().manual_seed(0))
    kind = registry.get("batches", method.batches)(**method.batch_options)
    pixels = torch.rand((16, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    batch = kind.example(lambda count: pixels[:count], facts, 8, torch.Generator().manual_seed(2))
    return method.at(0).loss(state.modules, batch, torch.Generator().manual_seed(3))


@pytest.mark.parametrize("sigma", [0.2, 1.0, 3.0])
def test_the_gaussian_likelihood_has_a_deviation(sigma: float) -> None:
    found = negative_log_likelihood(torch.tensor(LOGITS), torch.tensor(IMAGES), "gaussian", sigma)
    expected = -norm.logpdf(IMAGES, 1 / (1 + np.exp(-LOGITS)), sigma).sum() / len(IMAGES)
    assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", those(EncoderDecoder))
def test_the_reconstruction_has_a_weight_and_is_logged_without(name: str) -> None:
    cls = registry.get("methods", name)
    heavy = loss_of(cls(reconstruction_weight=3.0))
    plain = loss_of(cls())
    names = [
        name for name in plain.terms if name.endswith("reconstruction")
    ]  # telbo has two, of three bounds
    assert all(heavy.terms[name].detach() == plain.terms[name].detach() for name in names)
    whole = sum(float(plain.terms[name].detach()) for name in names) / (3 if name == "telbo" else 1)
    assert float((heavy.total - plain.total).detach()) == pytest.approx(2 * whole, rel=1e-4)


@pytest.mark.parametrize("name", those(VAE))
def test_every_vae_can_weight_its_kl(name: str) -> None:
    cls = registry.get("methods", name)
    light, heavy = (loss_of(cls(beta=beta)) for beta in (1.0, 3.0))
    share = cls(beta=1.0).kl_weight
    added = float((heavy.total - light.total).detach())
    assert added == pytest.approx(2 * share * float(light.terms["kl"].detach()), rel=1e-3)


def test_a_deviation_is_for_the_gaussian_likelihood() -> None:
    with pytest.raises(BadInput, match=r"sigma=0\.5 has no effect without likelihood=gaussian"):
        VAE(sigma=0.5)


def test_parts_of_a_loss_that_would_not_be_called_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Old\.regulariser would not be called; say all of it in `loss`"):
        type("Old", (VAE,), {"regulariser": lambda *_: None})


def test_a_method_whose_label_term_is_on_by_default_takes_its_weight() -> None:
    @dataclass(frozen=True)
    class Labelled(VAE):
        label_loss: str = setting("squared", "as in VAE", choices=("none", "squared"))

    assert Labelled(label_weight=2.0).label_weight == 2
    with pytest.raises(BadInput, match=r"label_weight=2\.0 has no effect without label_loss"):
        Labelled(label_loss="none", label_weight=2.0)
