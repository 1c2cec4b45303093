"""Unsupervised disentanglement ranking."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from distaff.errors import BadInput, unknown
from distaff.metrics.arrays import Codes, Floats, standardised
from distaff.metrics.declare import metric, truths
from distaff.metrics.mcc import absolute_correlation
from distaff.metrics.posterior import mean_kl
from distaff.metrics.threads import one_thread, quiet

SIMILARITIES = ("lasso", "spearman")
VARIANTS = ("paper", "disentanglement_lib")
INFORMATIVE = 0.01  # nats of KL


@metric(
    source="Duan et al. 2020, arXiv:1905.12614, section 4",
    needs=("mates",),
    grows=2,
    seconds=9.0,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.8, 1.0), (0.0, 0.45), (0.0, 0.0), (0.3, 0.9), (0.0, 0.1), (0.8, 1.0)),
    worse_with=frozenset({"noise", "holistic", "missing"}),
    only_dense="it compares all pairs of codes",
)
def udr(
    codes: Codes,
    mates: Sequence[Codes],
    *,
    logvar: Codes | None = None,
    mates_logvar: Sequence[Codes] | None = None,
    kl: ArrayLike | None = None,
    mates_kl: Sequence[ArrayLike] | None = None,
    similarity: str = "lasso",
    variant: str = "paper",
) -> float:
    """UDR: do models that differ only in their seed find the same codes, up to order and sign?

    `mates` are the codes that other runs with the same settings give the same rows. R(a, b) between code a of
    this run and code b of a mate is b's absolute coefficient in a Lasso regression of a (penalty .1) on the
    mate's codes, all standardised, or with `similarity="spearman"` the absolute rank correlation. A pair's
    score is the mean over all d_a + d_b codes of (largest R of the code)^2 / (sum of its R); the run's is the
    median over mates. 0..1, higher is better; where a mate's codes correlate, the Lasso's coefficients and so
    the score may exceed 1. It needs no factors, and only compares runs of one data set.

    `kl` (d,) and `mates_kl` hold each latent's mean KL divergence from the prior, nats, or `logvar` (n, d)
    and `mates_logvar` what gives it, of which one alone says nothing: latents of at most .01 are left out
    (Duan et al., I_KL, who do so on both sides; of `kl` and `mates_kl` each is of its own); without them,
    constant codes are. With nothing left a pair scores 0.
    The `variant` "disentanglement_lib" averages the two sides' means instead, which differs where they keep
    unequal numbers of codes. `codes` (n, d) and each of `mates` (n, d'). Raises BadInput without mates or
    where rows differ.

    The same codes in another order and with another sign; the Lasso takes a tenth:

        >>> codes = [[-1, -1], [-1, 1], [1, -1], [1, 1]]
        >>> round(udr(codes, mates=[[(b, -a) for a, b in codes]]), 3)
        0.9
    """
    for what, given, allowed in (("similarity", similarity, SIMILARITIES), ("variant", variant, VARIANTS)):
        if given not in allowed:
            raise unknown(what, str(given), allowed)
    if len(mates) == 0:
        raise BadInput("udr needs the codes of at least one other run with the same settings, got none")
    if mates_kl is not None and len(mates_kl) != len(mates):
        raise BadInput(f"{len(mates_kl)} KL vectors for {len(mates)} mates")
    if (kl is not None or mates_kl is not None) and (logvar is not None or mates_logvar is not None):
        raise BadInput("udr takes KLs or log-variances, not both")
    if logvar is not None and mates_logvar is not None:
        shapes = [mate.shape for mate in mates], [each.shape for each in mates_logvar]
        if shapes[0] != shapes[1]:
            raise BadInput(
                f"mates_logvar have shapes {shapes[1]} and mates {shapes[0]}; they must be the same"
            )
        kl, mates_kl = mean_kl(codes, logvar), [*map(mean_kl, mates, mates_logvar)]
    own = _informative(codes, kl)
    others = [_informative(mate, None if mates_kl is None else mates_kl[i]) for i, mate in enumerate(mates)]
    return float(np.median([_pair(own, other, similarity, variant) for other in others]))


def _informative(codes: Codes, kl: ArrayLike | None) -> Floats:
    """Standardised codes without those that say nothing."""
    keep = np.ptp(codes, axis=0) > 0
    if kl is not None:
        given = np.asarray(kl, dtype=np.float64)
        if given.shape != (codes.shape[1],):
            raise BadInput(f"kl has shape {given.shape} for {codes.shape[1]} codes")
        if not np.isfinite(given).all():
            raise BadInput("kl holds NaN or infinite values")
        keep &= given > INFORMATIVE
    return standardised(codes[:, keep])


def _pair(own: Floats, other: Floats, similarity: str, variant: str) -> float:
    if not own.shape[1] or not other.shape[1]:
        return 0.0
    if similarity == "lasso":
        from sklearn.linear_model import Lasso

        with quiet(), one_thread():  # few rows of alike codes converge slowly
            matrix = np.abs(Lasso(alpha=0.1).fit(other, own).coef_).reshape(own.shape[1], -1)  # (d, d')
    else:
        matrix = absolute_correlation(own, other, similarity)
    strengths = [_strength(matrix), _strength(matrix.T)]
    if variant == "disentanglement_lib":
        return float(np.mean([side.mean() for side in strengths]))
    return float(np.concatenate(strengths).mean())


def _strength(matrix: Floats) -> Floats:
    """For each row, its largest entry squared over its sum; 0 for an empty row."""
    total = matrix.sum(axis=1)
    return np.asarray(matrix.max(axis=1) ** 2 / np.where(total > 0, total, 1.0))
