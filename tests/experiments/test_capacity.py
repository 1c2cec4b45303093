import numpy as np
import pandas as pd
import pytest
import torch

from distaff.datasets import load_dataset
from distaff.experiments.capacity import Channel, against_fixed, told_apart


def test_the_channel_passes_the_nats_it_says() -> None:
    nats = torch.tensor([0.3, 2.0])
    generator = torch.Generator().manual_seed(0)
    factors = torch.randn(400_000, 2, generator=generator)
    received = Channel.send(factors, nats, generator)
    np.testing.assert_allclose(received.std(0), 1, atol=0.01)
    # Gaussian factors through Gaussian noise: I = -ln(1 - corr^2) / 2
    for k in range(2):
        correlation = np.corrcoef(factors[:, k], received[:, k])[0, 1]
        assert -0.5 * np.log(1 - correlation**2) == pytest.approx(float(nats[k]), rel=0.02)
        # and so is the mean KL of the posteriors N(a f, s^2) to N(0, 1)
        noise, kept = float(torch.exp(-nats[k])), float(torch.sqrt(1 - torch.exp(-2 * nats[k])))
        kl = 0.5 * (kept**2 * factors[:, k].square().mean() + noise**2 - 1 - 2 * np.log(noise))
        assert float(kl) == pytest.approx(float(nats[k]), rel=0.02)


def test_the_shares_of_the_channel_make_up_its_capacity() -> None:
    channel = Channel(3, torch.nn.Identity())
    with torch.no_grad():
        channel.weights.copy_(torch.tensor([0.0, 1.0, 3.0]))
    nats = channel.nats(7.5).detach()
    assert float(nats.sum()) == pytest.approx(7.5)
    assert float(nats[2] / nats[1]) == pytest.approx(np.exp(2), rel=1e-5)


def test_originals_tell_all_and_blobs_nothing() -> None:
    data = load_dataset("dsprites", resolution=32, orientation=3, x=4, y=4)
    rows = np.random.default_rng(0).choice(len(data), 200)
    images = data.unit_images(rows)
    assert told_apart(data, rows, images) == {"shape": 1, "orientation of hearts": 1}
    mean = data.unit_images(np.arange(len(data))).mean(axis=0, keepdims=True)
    assert told_apart(data, rows, np.repeat(mean, 200, axis=0))["orientation of hearts"] < 0.6


def test_gains_are_taken_within_a_seed() -> None:
    rows = [
        {"method": "annealed_vae", "seed": 0, "MIG": 0.5, "reconstruction": 20.0},
        {"method": "beta_vae", "seed": 1, "MIG": 0.1, "reconstruction": 50.0},
        {"method": "annealed_vae", "seed": 1, "MIG": 0.3, "reconstruction": 25.0},
        {"method": "beta_vae", "seed": 0, "MIG": 0.6, "reconstruction": 44.0},
    ]
    found = against_fixed(pd.DataFrame(rows))
    assert found["reconstructs"].sort_index().tolist() == pytest.approx([24, 25])
    assert found["disentangles"].sort_index().tolist() == pytest.approx([-0.1, 0.2])
