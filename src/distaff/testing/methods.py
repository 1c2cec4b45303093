"""Does a method learn, repeatably, and survive being saved?"""

import dataclasses
import itertools
from typing import Any

import numpy as np
import torch

from distaff import registry
from distaff.batches.batch import Base, Batch, Facts
from distaff.errors import BadInput
from distaff.randomness import derived

#: the batches that check_method trains on, again and again, so that losses can be compared
BATCHES = 10
#: steps that it takes a second time, to see that a seed decides all: every batch comes several times
REPEATED = 50
GREY = (1, 16, 16)


def check_method(method: Any, seed: int = 0, steps: int = 200) -> None:
    """Check a method: finite loss and gradients, one result per seed, a falling loss, exact round trips.

    The loss of an adversarial method need not fall: one side's rises as the other gets better.

    It must work for grey and RGB images of 16, 32 and 64 pixels, at its smallest batch, and from its smallest
    number of latents to 64. Its batches are of the kind it asks for. Where a setting names a finished run, it
    stands on one of the first method that it allows, untrained, which must stay as it is; where it has to,
    its latents are that run's. Of a fitted method only what does not speak of steps is checked, up to 16
    latents, for its made-up images vary in 16 directions.
    """
    kinds = registry.names("batches")
    assert method.batches in kinds, f"'{method.batches}' is none of: {', '.join(kinds)}"
    if method.fitted:
        _check_fitted(dataclasses.replace(method, images=300), seed)
        return
    least = method.smallest_batch
    for size, channels in itertools.product((16, 32, 64), (1, 3)):
        _few_steps(dataclasses.replace(method, batch_size=max(8, least)), (channels, size, size), seed, 2)
    sizes = [] if any(needed for *_, needed in method.base_settings()) else [method.smallest_latents, 64]
    for changed in ({"batch_size": least}, *({"latents": latents} for latents in sizes)):
        _few_steps(dataclasses.replace(method, **changed), GREY, seed, 2)
    small = dataclasses.replace(method, batch_size=max(16, least), learning_rate=1e-3)
    before = small.state(_facts(small, GREY), _generator(seed))
    losses, state = _few_steps(small, GREY, seed, steps)
    again, same = _few_steps(small, GREY, seed, min(steps, REPEATED))
    assert losses[: len(again)] == again, "the same seed gave other losses"
    first, last = np.mean(losses[:BATCHES]), np.mean(losses[-BATCHES:])
    falls = last < first - 0.01 * abs(first)
    assert falls or method.adversarial, f"the loss hardly falls in {steps} steps: {first} to {last}"
    after = dict(state.modules.named_parameters())
    for name, parameter in before.modules.named_parameters():
        if parameter.requires_grad:
            assert not torch.equal(parameter, after[name]), f"{name} does not move in {steps} steps"
        else:
            assert torch.equal(parameter, after[name]), f"{name} is of a finished run, and moves"
    _check_round_trip(small, state, same, seed)
    _check_codes(small, state)


def _check_fitted(method: Any, seed: int) -> None:
    for shape in (GREY, (3, 16, 16), (1, 32, 32), (3, 64, 64)):
        state, terms = _one_fit(method, shape, seed)
        assert np.isfinite(list(terms.values())).all(), f"a term of the fit is not finite: {terms}"
        again, same = _one_fit(method, shape, seed)
        assert terms == same, "the same seed gave other terms"
        fresh = method.state(_facts(method, shape), _generator(derived(seed, "fresh")))
        fresh.load({name: tensor.clone() for name, tensor in state.tensors().items()})
        for name, tensor in state.tensors().items():
            assert np.isfinite(tensor.numpy()).all(), f"{name} is not finite on images {shape}"
            assert (tensor == again.tensors()[name]).all(), f"the same seed gave another {name}"
            assert (tensor == fresh.tensors()[name]).all(), f"{name} differs after a round trip"
        _check_codes(method, state, shape)
        _check_codes(method, fresh, shape)
    chosen = method.code_size(_facts(method, GREY)) == method.latents  # raw pixels have no choice
    for latents in (method.smallest_latents, 16) if chosen else ():
        other = dataclasses.replace(method, latents=latents)
        _check_codes(other, _one_fit(other, GREY, seed)[0])


def _generator(seed: int) -> Any:
    return torch.Generator().manual_seed(seed)


def _begun(method: Any, shape: tuple[int, int, int], seed: int) -> tuple[Facts, Any]:
    """Made-up data that the method accepts, and its first state."""
    facts = _facts(method, shape)
    method.check(facts)
    return facts, method.state(facts, _generator(seed))


def _one_fit(method: Any, shape: tuple[int, int, int], seed: int) -> tuple[Any, dict[str, float]]:
    facts, state = _begun(method, shape, seed)
    terms = method.step(state, _made_up_batch(method, facts, _generator(seed)), _generator(seed))
    return state, {name: float(value) for name, value in terms.items()}


def _facts(method: Any, shape: tuple[int, int, int]) -> Facts:
    """Made-up data: 1,000 images of up to 3 factors, which are labels of a label term and words as well."""
    sizes = (3, 5, 4)[: method.latents]
    bases = {
        name: _example_base(allowed[0], shape)
        for name, allowed, needed in method.base_settings()
        if needed or getattr(method, name) != "none"
    }
    return Facts(shape, 1000, sizes, sizes if method.labelled_part else (), sizes, bases)


def _example_base(name: str, shape: tuple[int, int, int]) -> Base:
    """An untrained run of a method with its own settings."""
    method = registry.get("methods", name)()
    return Base(method, _facts(method, shape))


def _few_steps(method: Any, shape: tuple[int, int, int], seed: int, steps: int) -> tuple[list[float], Any]:
    facts, state = _begun(method, shape, seed)
    losses = [_one_step(method, state, facts, seed, step) for step in range(steps)]
    assert np.isfinite(losses).all(), f"a loss is not finite on images {shape}"
    for name, parameter in state.modules.named_parameters():
        assert torch.isfinite(parameter).all(), f"{name} is not finite after {steps} steps on images {shape}"
    return losses, state


def _one_step(method: Any, state: Any, facts: Facts, seed: int, step: int) -> float:
    generator = _generator(derived(seed, "batch", step % BATCHES))
    batch = _made_up_batch(method, facts, generator)
    return float(method.at(step).step(state, batch, generator)["loss"])


def _made_up_batch(method: Any, facts: Facts, rng: Any) -> Batch:
    """The example of the method's kind of batch, of dark blurred noise in 0..1, with labels if it asks."""

    def images(count: int) -> Any:
        coarse = torch.rand((count, facts.image_shape[0], 4, 4), generator=rng) ** 3
        return torch.nn.functional.interpolate(coarse, size=facts.image_shape[1:])

    n = method.batch_size
    kind = registry.get("batches", method.batches)(**method.batch_options)
    batch: Batch = kind.example(images, facts, n, rng)
    if method.labelled_part is None:
        return batch
    labels = torch.rand((n, len(facts.labels)), generator=rng) * torch.tensor(facts.labels)
    return dataclasses.replace(batch, labelled=images(n), labels=labels.long())


def _check_round_trip(method: Any, state: Any, same: Any, seed: int) -> None:
    """A fresh state that loads another's tensors must go on exactly as that one does."""
    facts = _facts(method, GREY)
    fresh = method.state(facts, _generator(derived(seed, "fresh")))
    fresh.load({name: tensor.clone().contiguous() for name, tensor in state.tensors().items()})
    assert state.tensors().keys() == same.tensors().keys(), "the names of a state's tensors change"
    for step in range(1000, 1003):
        going_on = _one_step(method, state, facts, seed, step)
        loaded = _one_step(method, fresh, facts, seed, step)
        assert going_on == loaded, "a state that was saved and loaded goes on differently"
    for name, tensor in state.tensors().items():
        assert torch.equal(tensor, fresh.tensors()[name]), f"{name} differs after a round trip"


def _check_codes(method: Any, state: Any, shape: tuple[int, int, int] = GREY) -> None:
    with torch.inference_mode():
        images = torch.rand((5, *shape), generator=_generator(0))
        codes = method.encode(state.modules, images, _generator(0))
        size = method.code_size(_facts(method, shape))
        assert codes.mean.shape == (5, size), f"codes have shape {tuple(codes.mean.shape)}"
        names = method.column_names(_facts(method, shape))
        assert len(set(names)) == size, f"{size} columns have {len(set(names))} different names"
        blocks = method.blocks(_facts(method, shape)).values()
        columns = [j for block in blocks for j in block]
        assert len(set(columns)) == len(columns), "blocks overlap"
        assert all(0 <= j < size for j in columns), "blocks have columns that are not there"
        assert codes.logvar is None or codes.logvar.shape == codes.mean.shape, "log-variances differ in shape"
        assert codes.sample.shape == codes.mean.shape, "samples differ in shape"
        try:
            decoded = method.decode(state.modules, codes.mean)
        except BadInput:
            return
        assert decoded.shape == images.shape, f"decoded images have shape {tuple(decoded.shape)}"
        assert 0 <= decoded.min() <= decoded.max() <= 1, "decoded images leave 0..1"
