"""The mutual information gap of the posterior itself, without bins of codes."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Ints
from distaff.metrics.declare import metric, truths
from distaff.metrics.information import entropy, gap

STEPS_PER_DEVIATION = 8  # grid points in the smallest posterior deviation
MARGIN = 7  # deviations beyond the outermost means
MOST_POINTS = 2**17
RATIO = 1.05  # from one tabulated deviation to the next


@metric(
    source="Chen et al. 2018, arXiv:1802.04942, section 4.1 and appendix C",
    needs=("factors", "logvar"),
    cost="fitted",
    least_codes=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.98, 1.0), (0.0, 0.1), (0.0, 0.001), (0.0, 0.001), (0.0, 0.03), (0.72, 0.78)),
    worse_with=frozenset({"noise", "holistic", "spread", "missing"}),
    only_dense="it integrates Gaussian posteriors, which sparse codes have none of",
)
def mig_exact(codes: Codes, factors: Factors, logvar: Codes) -> float:
    """Mutual information gap of the posterior: no bins of codes, no samples.

    The mutual information of latent z_j and factor v_k is H(z_j) - mean over values of H(z_j | v_k), in nats,
    where q(z_j) is the mixture of the posteriors of all rows and q(z_j | v_k) that of the rows with the
    value; largest minus second largest over latents, divided by the factor's entropy; the mean over factors.
    0..1, higher is better. It is exact where the rows are the whole grid of factors.

    `codes` (n, d) with d >= 2 are the posteriors' means, `logvar` (n, d) the logarithms of their variances,
    `factors` (n, k) whole numbers. Each latent is one-dimensional, so its mixtures are tabulated and
    integrated on a grid instead of sampled: `mutual_information_of_posteriors` says how, and the error.
    Raises NotApplicable for a single code.

    Posteriors far apart, and a second factor without a latent:

        >>> codes, factors = [[0, 5], [0, 5], [1, 5], [1, 5]], [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> round(mig_exact(codes, factors, logvar=[[-9, -9]] * 4), 3)
        0.5
    """
    information, entropies = mutual_information_of_posteriors(codes, factors, logvar)
    return float(np.mean(gap(information) / entropies))


def mutual_information_of_posteriors(codes: Codes, factors: Factors, logvar: Codes) -> tuple[Floats, Floats]:
    """I(z_j; v_k) of Gaussian posteriors (d, k), and the entropy of the factors (k,), in nats.

    The posteriors' means go to the points of a grid, eight to the smallest deviation of the latent, and their
    variances to tabulated ones, each deviation 5 % wider than the last, divided between neighbours so that
    mean and variance stay what they were; the mixture is then a sum of convolutions (FFT), and entropies are
    sums over the grid. The error of an entropy is below .001 nats against direct summation, as tests show.
    Deviations below 1/16,000 of a latent's range count as that.
    """
    information = [
        _information(mean, np.exp(wide.clip(-100, 100) / 2), factors)
        for mean, wide in zip(codes.T, logvar.T, strict=True)
    ]
    return np.maximum(information, 0.0), entropy(factors)


def _information(mean: Floats, deviation: Floats, factors: Ints) -> list[float]:
    """I(z; v_k) of one latent with every factor."""
    table = _Table(mean, deviation)
    every_row = np.arange(len(mean))
    whole = table.entropy(every_row)
    found = []
    for column in factors.T:
        order = np.argsort(column, kind="stable")
        counts = np.bincount(column)
        parts = np.split(order, np.cumsum(counts)[:-1])
        found.append(whole - sum(len(p) * table.entropy(p) for p in parts) / len(mean))
    return found


class _Table:
    """One latent's posteriors on a grid of means and tabulated variances.

    A tabulated deviation of 2^o times the smallest is kept on a grid 2^o times as coarse: its spectrum ends
    that much earlier, and is added to the low end of the finest grid's.
    """

    def __init__(self, mean: Floats, deviation: Floats) -> None:
        widest = float(deviation.max())
        span = float(np.ptp(mean)) + 2 * MARGIN * widest
        self.step = max(float(deviation.min()) / STEPS_PER_DEVIATION, span / MOST_POINTS)
        self.points = int(2 ** np.ceil(np.log2(span / self.step + 2)))
        variance = np.maximum(deviation, STEPS_PER_DEVIATION * self.step) ** 2
        least, most = float(variance.min()), float(variance.max()) * (1 + 1e-9)
        count = max(2, 1 + int(np.ceil(np.log(most / least) / (2 * np.log(RATIO)))))
        levels = np.geomspace(least, most, count)  # deviations a constant ratio apart
        octave = (np.log2(levels / levels[0]) / 2 + 1e-9).astype(np.int64)
        self.coarse = 2**octave  # (levels,)
        self.offset = np.concatenate([[0], np.cumsum(self.points // self.coarse)])
        frequency = 2 * np.pi * np.fft.rfftfreq(self.points, self.step)
        # a mean divided between two points has the variance right (1 - right) step^2 more, 1/6 on average
        spread = levels - (self.step * self.coarse) ** 2 / 6
        self.kernels = [
            np.exp(-0.5 * s * frequency[: self.points // (2 * c) + 1] ** 2)
            for s, c in zip(spread, self.coarse, strict=True)
        ]
        self.place = (mean - mean.min() + MARGIN * widest) / self.step
        below = np.searchsorted(levels, variance, side="right") - 1
        self.level = below.clip(max=len(levels) - 2)
        low, high = levels[self.level], levels[self.level + 1]
        self.up = ((variance - low) / (high - low)).clip(0.0, 1.0)

    def entropy(self, rows: Ints) -> float:
        """The differential entropy of the mixture of these rows' posteriors, nats."""
        level, up = self.level[rows], self.up[rows]
        weights = self._weights(rows, level, 1 - up) + self._weights(rows, level + 1, up)
        spectrum = np.zeros(self.points // 2 + 1, dtype=np.complex128)
        for i, kernel in enumerate(self.kernels):
            part = weights[self.offset[i] : self.offset[i + 1]]
            if part.any():
                spectrum[: len(kernel)] += np.fft.rfft(part) * kernel
        density = np.fft.irfft(spectrum, self.points) / len(rows)
        filled = density[density > 1e-300]
        return float(-(filled * np.log(filled / self.step)).sum())

    def _weights(self, rows: Ints, level: Ints, share: Floats) -> Floats:
        """Rows' shares at their level, divided between the two points of its grid next to their means."""
        place = self.place[rows] / self.coarse[level]
        cell = place.astype(np.int64)
        right = place - cell
        corner, size = self.offset[level] + cell, int(self.offset[-1])
        weights = np.zeros(size)
        weights += np.bincount(corner, share * (1 - right), minlength=size)
        weights += np.bincount(corner + 1, share * right, minlength=size)
        return weights
