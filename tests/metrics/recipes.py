"""Arrays made by a stated recipe, whose scores were computed elsewhere: by a reference's own code.

The letters are those of the specification; every array is drawn in the order written.
"""

import numpy as np

Array = np.ndarray


def linear_mixture() -> tuple[Array, Array]:
    """Recipe C: five Gaussian factors (500, 5), mixed linearly with some noise."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((500, 5))
    mixing = np.eye(5) + 0.4 * rng.standard_normal((5, 5))
    return factors @ mixing + 0.3 * rng.standard_normal((500, 5)), factors


def wide_noise() -> tuple[Array, Array]:
    """Recipe D: a hundred codes of 200 rows that know nothing of five factors."""
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((200, 5))
    return rng.standard_normal((200, 100)), factors


def absorbed_attribute() -> tuple[Array, Array]:
    """Recipe J: 64 sparse codes of 1,200 rows; two share an attribute (n,), and a third is loud."""
    rng = np.random.default_rng(0)
    n, d = 1200, 64
    there = rng.random(n) < 0.25
    codes = np.where(rng.random((n, d)) < 0.05, rng.exponential(1, (n, d)), 0)
    codes[:, 7] = np.where(there & (rng.random(n) < 0.7), 1 + rng.random(n), 0)
    codes[:, 9] = np.where(there & (codes[:, 7] == 0), 1 + rng.random(n), 0) + (rng.random(n) < 0.02)
    codes[:, 20] *= 50
    return codes, there.astype(np.int64)


def three_clusters() -> tuple[Array, Array]:
    """Recipe A: four codes of 300 cells, of which two move with two of the three labels."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 300)
    codes = rng.standard_normal((300, 4))
    codes[:, 0] += 2 * (label == 0)
    codes[:, 1] += 2 * (label == 1)
    return codes, label


def overlapping_labels() -> tuple[Array, Array]:
    """Recipe B: five codes of 200 cells, three labels that overlap; the fourth code is a sum of two."""
    rng = np.random.default_rng(1)
    labels = rng.random((200, 3)) < [0.5, 0.2, 0.05]
    codes = rng.standard_normal((200, 5))
    codes[:, :3] += labels * [1.5, 1.5, 3]
    codes[:, 3] = codes[:, 0] + codes[:, 1]
    return codes, labels.astype(np.int64)


def three_runs() -> tuple[Array, Array, Array]:
    """Recipe G: codes (400, 4), the same in another order with signs and noise, and a mixture of them."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal((400, 4))
    second = first[:, [2, 0, 3, 1]] * [1, -1, 1, -1] + 0.2 * rng.standard_normal((400, 4))
    third = first @ rng.standard_normal((4, 4)) + 0.5 + 0.2 * rng.standard_normal((400, 4))
    return first, second, third


def three_factors() -> tuple[Array, Array, Array]:
    """Recipe H: six codes (1000, 6) of three factors (1000, 3), and as many codes of noise."""
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, size, 1000) for size in (4, 6, 3)], axis=1)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    own = ideal + 0.3 * rng.standard_normal((1000, 3))
    mixed = (ideal[:, :1] + ideal[:, 1:2]) / 2 + 0.3 * rng.standard_normal((1000, 1))
    codes = np.concatenate([own, mixed, rng.standard_normal((1000, 2))], axis=1)
    return codes, factors, rng.standard_normal((1000, 6))


def three_slots() -> tuple[Array, Array]:
    """Recipe I: three slots of four codes (500, 12), bent, straight, mixed; three pairs of factors."""
    rng = np.random.default_rng(0)
    true = rng.standard_normal(500 * 3 * 2).reshape(500, 3, 2)

    def mixing() -> Array:
        return rng.standard_normal((2, 4))

    slots = [np.tanh(true[:, 1] @ mixing()), true[:, 0] @ mixing(), true[:, 2] @ mixing()]
    slots[2] += 0.5 * true[:, 0] @ mixing()
    return np.concatenate(slots, axis=1), true.reshape(500, 6)


def sparse_of_all_kinds(n: int = 300, d: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes of all kinds: mostly off, of either sign, with ties, dead, always on, constant, tiny, huge."""
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=n) for size in (2, 3, 7)], axis=1)
    codes = np.where(rng.random((n, d)) < 0.1, rng.exponential(size=(n, d)), 0.0)
    codes[:, 0] = (factors[:, 0] == 1) * rng.exponential(size=n)
    codes[:, 1] = np.where(factors[:, 2] > 4, factors[:, 1] - 1.5, 0)
    codes[:, 2] = np.where(rng.random(n) < 0.3, rng.normal(size=n).round(1), 0)
    codes[:, 3], codes[:, 4], codes[:, 5] = 0, factors[:, 1] + 1.0, 3.0
    codes[:, 6], codes[:, 7] = 1e-40 * codes[:, 0], 1e28 * codes[:, 1]
    codes[:, 8] = np.where(factors[:, 1] == 0, 1.0, 1.0 + 4e-16)  # too narrow for 20 bins at this precision
    codes[:, 9] = -codes[:, 0]
    return codes, factors


def learned_dictionary() -> dict[str, Array]:
    """Recipe F: 48 learned directions and 48 random ones for 32 true ones; rows of them, and their codes."""
    rng = np.random.default_rng(0)
    true = rng.standard_normal((32, 16))
    learned = np.concatenate(
        [true[:20] + 0.5 * rng.standard_normal((20, 16)), true[:4], rng.standard_normal((24, 16))]
    )
    found = {"true": true, "learned": learned, "random": rng.standard_normal((48, 16))}
    rng = np.random.default_rng(1)
    on = rng.random((1000, 32)) < 0.05
    features = on * rng.uniform(1, 2, (1000, 32))
    unit = {name: found[name] / np.linalg.norm(found[name], axis=1, keepdims=True) for name in found}
    inputs = features @ unit["true"]
    codes = np.maximum(inputs @ unit["learned"].T - 0.8, 0)
    codes[:, 40:] = 0
    reconstructed = 0.5 * codes @ unit["learned"]
    return found | {"features": features, "inputs": inputs, "codes": codes, "reconstructed": reconstructed}
