"""Conformance checks for what plugs into distaff: yours as well as ours.

Each raises AssertionError with a line that says what is wrong, and returns nothing if all is well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.metrics.needs import NEEDS

if TYPE_CHECKING:
    from distaff.batches.batch import Batch, Facts

#: the factors of the constructed codes: few enough values for 20 bins to carry
SPACE = FactorSpace(("a", "b", "c", "d"), (4, 6, 9, 16))
ROWS = 10_000

Codes = NDArray[np.float64]


def _standardised(factors: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


def _rotated(codes: Codes) -> Codes:
    """Codes times I - 2/d, which is orthogonal, with entries of one size at d = 4."""
    d = codes.shape[1]
    return codes @ (np.eye(d) - 2 / d)


#: constructed codes, each made from standardised factors and a generator
SITUATIONS: dict[str, Callable[[Codes, np.random.Generator], Codes]] = {
    "identity": lambda codes, rng: codes,
    "rotated": lambda codes, rng: _rotated(codes),
    "constant": lambda codes, rng: np.ones_like(codes),
    "duplicated": lambda codes, rng: np.concatenate([codes, codes], axis=1),
    "noise": lambda codes, rng: rng.standard_normal(codes.shape),
    "one_missing": lambda codes, rng: codes[:, :-1],
}

#: changes of the codes that a metric may declare itself invariant to
CHANGES: dict[str, Callable[[Codes, np.random.Generator], Codes]] = {
    "permutation": lambda codes, rng: codes[:, rng.permutation(codes.shape[1])],
    "sign": lambda codes, rng: codes * rng.choice([-1.0, 1.0], size=codes.shape[1]),
    "scale": lambda codes, rng: codes * rng.permutation(np.geomspace(0.037, 23, codes.shape[1])),
}


#: what makes codes worse, from not at all (0) to fully (1): standardised factors, how much, and a generator
PROTOCOLS: dict[str, Callable[[Codes, float, np.random.Generator], Codes]] = {
    # more and more of each code is noise
    "noise": lambda ideal, much, rng: (1 - much) * ideal + much * rng.standard_normal(ideal.shape),
    # every code takes in more and more of the next factor
    "holistic": lambda ideal, much, rng: (1 - much / 2) * ideal + much / 2 * np.roll(ideal, 1, axis=1),
    # the same through a fixed noise
    "blurred": lambda ideal, much, rng: (
        (1 - much / 2) * ideal + much / 2 * np.roll(ideal, 1, axis=1) + 0.4 * rng.standard_normal(ideal.shape)
    ),
    # a second code knows more and more of each factor
    "spread": lambda ideal, much, rng: np.concatenate(
        [ideal, much * ideal + (1 - much) * rng.standard_normal(ideal.shape)], axis=1
    ),
    # codes are bent more and more, without losing their order
    "bent": lambda ideal, much, rng: np.sinh((0.01 + 4 * much) * ideal) / np.sinh(0.01 + 4 * much),
    # fewer and fewer factors have a code
    "missing": lambda ideal, much, rng: np.where(
        np.arange(ideal.shape[1]) < round((1 - much) * ideal.shape[1]),
        ideal,
        rng.standard_normal(ideal.shape),
    ),
    # the first code is added to the others
    "copied": lambda ideal, much, rng: (1 - much / 2) * ideal + much / 2 * ideal[:, :1],
}


def check_metric(function: Callable[..., Any], seed: int = 0, rows: int = ROWS) -> None:
    """Check a metric against its declaration: truth table, invariances, range, monotony, errors.

    `function` carries a `declaration` (see distaff.metrics.declare.metric), and takes codes and what that
    says it needs. The protocols by which codes get worse are those of Zaidi et al. 2020, section 5, in our
    own form.
    """
    declared = getattr(function, "declaration", None)
    assert declared is not None, f"{function} has no declaration"
    missing = set(SITUATIONS) - set(declared.truth)
    assert not missing, f"{function.__name__} states no truth for: {', '.join(sorted(missing))}"
    factors = SPACE.sample(rows, seed)
    ideal = _standardised(factors, np.random.default_rng(seed))
    for situation, make in SITUATIONS.items():
        codes = make(ideal, np.random.default_rng(seed + 1))
        _check_truth(function, situation, _values(function, codes, factors, seed))
    noisy = ideal + 0.3 * np.random.default_rng(seed + 2).standard_normal(ideal.shape)
    before = _values(function, noisy, factors, seed)
    assert before == _values(function, noisy, factors, seed), (
        "the same arrays score otherwise the second time"
    )
    for change in declared.invariant_to:
        changed = CHANGES[change](noisy, np.random.default_rng(seed + 3))
        after = _values(function, changed, factors, seed)
        for key, value in before.items():
            assert abs(value - after[key]) <= 0.02, f"{change} changes {key} from {value} to {after[key]}"
    for protocol in PROTOCOLS:
        _check_worse(function, protocol, ideal, factors, seed)
    _check_errors(function, ideal, factors, seed)


def _values(
    function: Callable[..., Any], codes: Codes, factors: NDArray[np.int64], seed: int
) -> dict[str, float]:
    """A metric's numbers by field; a float has the function's name."""
    declared = function.declaration  # type: ignore[attr-defined]
    found = function(codes, *_needed(declared.needs, codes, factors, seed), **declared.check_with)
    if not hasattr(found, "_asdict"):
        return {function.__name__: float(found)}
    return {key: float(v) for key, v in found._asdict().items() if isinstance(v, int | float)}


def _needed(needs: tuple[str, ...], codes: Codes, factors: NDArray[Any], seed: int) -> list[Any]:
    """What a metric takes after codes."""
    return [NEEDS[need].example(codes, factors, seed) for need in needs]


def _check_truth(function: Callable[..., Any], situation: str, values: dict[str, float]) -> None:
    declared = function.declaration  # type: ignore[attr-defined]
    truth = declared.truth[situation]
    bounds = truth if isinstance(truth, Mapping) else {function.__name__: truth}
    unstated = bounds.keys() ^ values.keys()
    assert not unstated, f"{situation}: no truth, or no value, for {', '.join(sorted(unstated))}"
    for key, value in values.items():
        low, high = bounds[key]
        assert low <= value <= high, f"{situation} codes score {key} {value:.4f}, not {low} to {high}"
        assert declared.low <= value <= declared.high, f"{situation} codes score {key} {value}, out of range"


def _check_worse(
    function: Callable[..., Any], protocol: str, ideal: Codes, factors: NDArray[np.int64], seed: int
) -> None:
    """Values must get worse along a protocol that the declaration names, by .05 or more."""
    declared = function.declaration  # type: ignore[attr-defined]
    by_field = declared.worse_with
    by_field = by_field if isinstance(by_field, Mapping) else {function.__name__: by_field}
    fields = [key for key, protocols in by_field.items() if protocol in protocols]
    if not fields:
        return
    steps = [
        PROTOCOLS[protocol](ideal, much, np.random.default_rng(seed + 6)) for much in (0.0, 0.3, 0.6, 0.9)
    ]
    values = [_values(function, codes, factors, seed) for codes in steps]
    sign = 1 if declared.higher_is_better else -1
    for key in fields:
        line = [sign * step[key] for step in values]
        words = ", ".join(f"{step[key]:.3f}" for step in values)
        assert all(b <= a + 0.02 for a, b in itertools.pairwise(line)), (
            f"{protocol}: {key} is not monotone: {words}"
        )
        assert line[0] - line[-1] >= 0.05, f"{protocol}: {key} hardly gets worse: {words}"


def _check_errors(function: Callable[..., Any], codes: Codes, factors: NDArray[np.int64], seed: int) -> None:
    needs = function.declaration.needs  # type: ignore[attr-defined]
    needed = _needed(needs, codes, factors, seed)
    broken, endless = codes.copy(), codes.copy()
    broken[3, 1], endless[5, 0] = np.nan, np.inf
    wrong: dict[str, tuple[Any, ...]] = {
        "NaN codes": (broken, *needed),
        "infinite codes": (endless, *needed),
        "codes of words": (np.where(codes > 0, "high", "low"), *needed),
    }
    if needs:
        wrong["rows that do not match"] = (codes[:-1], *needed)
    if "factors" in needs:
        single = np.concatenate([factors, np.zeros_like(factors[:, :1])], axis=1)
        wrong["one row"] = (codes[:1], *(value[:1] for value in needed))
        wrong["a factor with one value"] = (codes, *_needed(needs, codes, single, seed))
        wrong["float factors"] = (codes, *_needed(needs, codes, factors + 0.5, seed))
    for what, arguments in wrong.items():
        try:
            function(*arguments)
        except BadInput:
            continue
        raise AssertionError(f"{what} must raise BadInput")


def check_dataset(data: Any, seed: int = 0) -> None:
    """Check a data set: shapes, types, ranges, that an image is the same each time, labels, errors."""
    n = len(data)
    assert n >= 2, "a data set needs at least 2 images"
    rng = np.random.default_rng(seed)
    index = rng.integers(n, size=16)
    images = data.images(index)
    assert images.shape == (16, *data.image_shape), f"images have shape {images.shape}"
    assert data.image_shape[0] in (1, 3), "images are grey or RGB"
    low, high = data.pixel_range
    assert images.dtype == np.uint8 or (images.dtype == np.float32), f"images are {images.dtype}"
    assert low <= images.min() <= images.max() <= high, "pixels leave the declared range"
    assert images.dtype != np.uint8 or (low, high) == (0, 255), "uint8 pixels run from 0 to 255"
    assert (images == data.images(index)).all(), "the same index gave another image"
    alone = np.concatenate([data.images(index[i : i + 1]) for i in range(16)])
    assert (images == alone).all(), "an image depends on its batch"
    assert data.images(index[:0]).shape == (0, *data.image_shape), "no index must give no images"
    _check_labels(data, index)
    for bad in ([n], [-1], [0.5]):
        try:
            data.images(np.array(bad))
        except BadInput:
            continue
        raise AssertionError(f"index {bad[0]} must raise BadInput")
    assert data.fingerprint() == data.fingerprint(), "the fingerprint changes"


def _check_labels(data: Any, index: NDArray[np.int64]) -> None:
    labels = data.labels(index)
    if labels is None:
        assert data.factors is None, "a data set with a grid of factors must give labels"
        assert not data.label_names, "label names without labels"
        return
    assert labels.shape == (len(index), len(data.label_names)), f"labels have shape {labels.shape}"
    if data.factors is not None:
        assert len(data.factors) == len(data), "the grid and the data set differ in size"
        assert data.factors.names == tuple(data.label_names), "the grid and the labels differ in names"
        assert (data.factors.index(labels) == index).all(), "labels are not the rows of the grid"
        assert min(data.factors.sizes) > 1, "factors that do not vary must be dropped"


#: the batches that check_method trains on, again and again, so that losses can be compared
BATCHES = 10


def check_method(method: Any, seed: int = 0, steps: int = 200) -> None:
    """Check a method: finite loss and gradients, one result per seed, a falling loss, exact round trips.

    The loss of an adversarial method need not fall: one side's rises as the other gets better.

    It must work for grey and RGB images of 16, 32 and 64 pixels, at its smallest batch, and from its smallest
    number of latents to 64. Its batches are of the kind it asks for. Of a fitted method only what does not
    speak of steps is checked, up to 16 latents, for its made-up images vary in 16 directions.
    """
    import dataclasses

    import torch

    from distaff import registry

    kinds = registry.names("batches")
    assert method.batches in kinds, f"'{method.batches}' is none of: {', '.join(kinds)}"
    if method.fitted:
        _check_fitted(dataclasses.replace(method, images=300), seed)
        return
    grey = (1, 16, 16)
    for size in (16, 32, 64):
        for channels in (1, 3):
            _few_steps(
                dataclasses.replace(method, batch_size=max(8, method.smallest_batch)),
                (channels, size, size),
                seed,
                2,
            )
    _few_steps(dataclasses.replace(method, latents=method.smallest_latents), grey, seed, 2)
    _few_steps(dataclasses.replace(method, latents=64), grey, seed, 2)
    _few_steps(dataclasses.replace(method, batch_size=method.smallest_batch), grey, seed, 2)
    small = dataclasses.replace(method, batch_size=max(16, method.smallest_batch), learning_rate=1e-3)
    before = small.state(_facts(small, grey), torch.Generator().manual_seed(seed))
    losses, state = _few_steps(small, grey, seed, steps)
    again, same = _few_steps(small, grey, seed, steps)
    assert losses == again, "the same seed gave other losses"
    first, last = np.mean(losses[:BATCHES]), np.mean(losses[-BATCHES:])
    falls = last < first - 0.01 * abs(first)
    assert falls or method.adversarial, f"the loss hardly falls in {steps} steps: {first} to {last}"
    after = dict(state.modules.named_parameters())
    for name, parameter in before.modules.named_parameters():
        assert not torch.equal(parameter, after[name]), f"{name} does not move in {steps} steps"
    _check_round_trip(small, state, same, seed)
    _check_codes(small, state)


def _check_fitted(method: Any, seed: int) -> None:
    import dataclasses

    for shape in ((1, 16, 16), (3, 16, 16), (1, 32, 32), (3, 64, 64)):
        state, terms = _one_fit(method, shape, seed)
        assert np.isfinite(list(terms.values())).all(), f"a term of the fit is not finite: {terms}"
        again, same = _one_fit(method, shape, seed)
        assert terms == same, "the same seed gave other terms"
        fresh = method.state(_facts(method, shape), _generator(seed + 1))
        fresh.load({name: tensor.clone() for name, tensor in state.tensors().items()})
        for name, tensor in state.tensors().items():
            assert np.isfinite(tensor.numpy()).all(), f"{name} is not finite on images {shape}"
            assert (tensor == again.tensors()[name]).all(), f"the same seed gave another {name}"
            assert (tensor == fresh.tensors()[name]).all(), f"{name} differs after a round trip"
        _check_codes(method, state, shape)
        _check_codes(method, fresh, shape)
    chosen = method.code_size(_facts(method, (1, 16, 16))) == method.latents  # raw pixels have no choice
    for latents in (method.smallest_latents, 16) if chosen else ():
        other = dataclasses.replace(method, latents=latents)
        _check_codes(other, _one_fit(other, (1, 16, 16), seed)[0])


def _generator(seed: int) -> Any:
    import torch

    return torch.Generator().manual_seed(seed)


def _one_fit(method: Any, shape: tuple[int, int, int], seed: int) -> tuple[Any, dict[str, float]]:
    facts = _facts(method, shape)
    method.check(facts)
    state = method.state(facts, _generator(seed))
    terms = method.step(state, _made_up_batch(method, facts, _generator(seed)), _generator(seed))
    return state, {name: float(value) for name, value in terms.items()}


def _facts(method: Any, shape: tuple[int, int, int]) -> Facts:
    """Made-up data: 1,000 images of up to 3 factors, which are the labels of a label term too."""
    from distaff.batches.batch import Facts

    sizes = (3, 5, 4)[: method.latents]
    return Facts(shape, 1000, sizes, sizes if method.labelled_part else ())


def _few_steps(method: Any, shape: tuple[int, int, int], seed: int, steps: int) -> tuple[list[float], Any]:
    import torch

    facts = _facts(method, shape)
    method.check(facts)
    state = method.state(facts, torch.Generator().manual_seed(seed))
    losses = [_one_step(method, state, facts, seed, step) for step in range(steps)]
    assert np.isfinite(losses).all(), f"a loss is not finite on images {shape}"
    for name, parameter in state.modules.named_parameters():
        assert torch.isfinite(parameter).all(), f"{name} is not finite after {steps} steps on images {shape}"
    return losses, state


def _one_step(method: Any, state: Any, facts: Facts, seed: int, step: int) -> float:
    import torch

    generator = torch.Generator().manual_seed(1000 * seed + step % BATCHES)
    batch = _made_up_batch(method, facts, generator)
    return float(method.at(step).step(state, batch, generator)["loss"])


def _made_up_batch(method: Any, facts: Facts, rng: Any) -> Batch:
    """The example of the method's kind of batch, of dark blurred noise in 0..1, with labels if it asks."""
    import dataclasses

    import torch

    from distaff import registry

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
    import torch

    facts = _facts(method, (1, 16, 16))
    fresh = method.state(facts, torch.Generator().manual_seed(seed + 1))
    fresh.load({name: tensor.clone().contiguous() for name, tensor in state.tensors().items()})
    assert state.tensors().keys() == same.tensors().keys(), "the names of a state's tensors change"
    for step in range(1000, 1003):
        going_on = _one_step(method, state, facts, seed, step)
        loaded = _one_step(method, fresh, facts, seed, step)
        assert going_on == loaded, "a state that was saved and loaded goes on differently"
    for name, tensor in state.tensors().items():
        assert torch.equal(tensor, fresh.tensors()[name]), f"{name} differs after a round trip"


def _check_codes(method: Any, state: Any, shape: tuple[int, int, int] = (1, 16, 16)) -> None:
    import torch

    with torch.inference_mode():
        images = torch.rand((5, *shape), generator=_generator(0))
        codes = method.encode(state.modules, images, _generator(0))
        size = method.code_size(_facts(method, shape))
        assert codes.mean.shape == (5, size), f"codes have shape {tuple(codes.mean.shape)}"
        names = method.column_names(_facts(method, shape))
        assert len(set(names)) == size, f"{size} columns have {len(set(names))} different names"
        assert codes.logvar is None or codes.logvar.shape == codes.mean.shape, "log-variances differ in shape"
        assert codes.sample.shape == codes.mean.shape, "samples differ in shape"
        try:
            decoded = method.decode(state.modules, codes.mean)
        except BadInput:
            return
        assert decoded.shape == images.shape, f"decoded images have shape {tuple(decoded.shape)}"
        assert 0 <= decoded.min() <= decoded.max() <= 1, "decoded images leave 0..1"
