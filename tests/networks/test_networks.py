"""Networks: the seeds' table at 64 pixels, every size from 16 to 128, weights from a seed alone."""

import pytest
import torch
from torch import nn

from distaff.networks import NETWORKS, conv, fresh


def kinds(module: nn.Module) -> list[tuple]:
    found = []
    for layer in module:  # type: ignore[attr-defined]
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            found.append((layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0]))
        elif isinstance(layer, nn.Linear):
            found.append((layer.in_features, layer.out_features))
    return found


def test_the_table_of_the_study() -> None:
    assert kinds(conv.encoder((3, 64, 64), 20)) == [
        (3, 32, 4, 2), (32, 32, 4, 2), (32, 64, 4, 2), (64, 64, 4, 2), (1024, 256), (256, 20),
    ]  # fmt: skip
    assert kinds(conv.decoder(10, (3, 64, 64))) == [
        (10, 256), (256, 1024), (64, 64, 4, 2), (64, 32, 4, 2), (32, 32, 4, 2), (32, 3, 4, 2),
    ]  # fmt: skip


def test_the_decoder_of_the_table_has_no_activation_on_its_logits() -> None:
    decoder = fresh(lambda: conv.decoder(10, (1, 64, 64)), torch.Generator().manual_seed(0))
    codes = torch.randn((4, 10), generator=torch.Generator().manual_seed(1))
    assert float(decoder(codes).detach().min()) < 0


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "shape", [(1, 16, 16), (3, 28, 28), (1, 32, 32), (3, 48, 80), (1, 96, 100), (3, 128, 128)]
)
def test_sizes(name: str, shape: tuple[int, int, int]) -> None:
    make_encoder, make_decoder = NETWORKS[name]
    images = torch.rand((2, *shape))
    assert make_encoder(shape, 6)(images).shape == (2, 6)
    assert make_decoder(3, shape)(torch.zeros((2, 3))).shape == (2, *shape)


def test_depth_follows_the_size() -> None:
    depths = {size: len(conv.plan((1, size, size))[0]) for size in (16, 32, 64, 128)}
    assert depths == {16: 2, 32: 3, 64: 4, 128: 5}


def test_weights_come_from_the_generator_alone() -> None:
    before = torch.random.get_rng_state()
    a, b = (fresh(lambda: conv.encoder((1, 32, 32), 4), torch.Generator().manual_seed(5)) for _ in range(2))
    for one, other in zip(a.parameters(), b.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(float(p.detach().abs().max()) == 0 for n, p in a.named_parameters() if n.endswith("bias"))
