import numpy as np
import pytest
import torch

from distaff.experiments.capacity import Channel


def test_the_channel_passes_the_nats_it_says() -> None:
    channel = Channel(2, 4)
    nats = torch.tensor([0.3, 2.0])
    generator = torch.Generator().manual_seed(0)
    factors = torch.randn(400_000, 2, generator=generator)
    with torch.no_grad():
        channel.log_nats.copy_(nats.log())
        received = channel.send(factors, generator)
    np.testing.assert_allclose(received.std(0), 1, atol=0.01)
    # Gaussian factors through Gaussian noise: I = -ln(1 - corr^2) / 2
    for k in range(2):
        correlation = np.corrcoef(factors[:, k], received[:, k])[0, 1]
        assert -0.5 * np.log(1 - correlation**2) == pytest.approx(float(nats[k]), rel=0.02)
        # and so is the mean KL of the posteriors N(a f, s^2) to N(0, 1)
        noise, kept = float(torch.exp(-nats[k])), float(torch.sqrt(1 - torch.exp(-2 * nats[k])))
        kl = 0.5 * (kept**2 * factors[:, k].square().mean() + noise**2 - 1 - 2 * np.log(noise))
        assert float(kl) == pytest.approx(float(nats[k]), rel=0.02)
