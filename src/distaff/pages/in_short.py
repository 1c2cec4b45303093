"""The first section of a report: what was learned, what to beware of, and what to try next, in words."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from distaff.evaluation.posterior import active
from distaff.pages.page import Section
from distaff.pages.parts import tagged
from distaff.pages.seen import COMPARED, Seen, known_beyond_chance

LONG = 100  # characters of a health message; its beginning says enough here
TOLD = 0.1  # the share of a factor's entropy, beyond what shuffled factors give, from which a latent tells it


class Told(NamedTuple):
    """What latents tell of factors: shares (d, k) of each factor's entropy, by `latents` and `factors`."""

    shares: NDArray[np.float64]
    latents: list[str]
    factors: list[str]

    def tells(self, latent: int) -> list[str]:
        """The factors that a latent tells, the best first."""
        order = np.argsort(-self.shares[latent])
        return [self.factors[j] for j in order if self.shares[latent, j] >= TOLD]


def in_short(seen: Seen) -> Section:
    """What the sections below come to."""
    told, live = told_by(seen), active(seen.encoding)
    parts = [
        ("Learned", _learned(seen, told)),
        ("Beware", _beware(seen)),
        ("Try next", _next(seen, told, live)),
    ]
    lists = (tagged("p", tagged("b", title)) + _listed(lines) for title, lines in parts)
    return Section("In short", [*lists])


def told_by(seen: Seen) -> Told | None:
    """What latents, those that carry most first, tell of each factor beyond chance; None without factors."""
    some = [seen.order[start : start + COMPARED] for start in range(0, len(seen.order), COMPARED)]
    found = [known_beyond_chance(seen, columns) for columns in some]
    factors, shares = found[0][0], np.concatenate([shares for _, shares in found])
    return Told(shares, [seen.names[j] for j in seen.order], factors) if factors else None


def _learned(seen: Seen, told: Told | None) -> Iterator[Markup]:
    """Which factor each latent tells, and what no latent does."""
    if told is None:
        count = int(active(seen.encoding).sum())
        yield Markup("{} of {} latents carry something; without labels nothing here says what.").format(
            count, seen.run.code_size
        )
        return
    best = told.shares.argmax(axis=0)
    found = [j for j in range(len(told.factors)) if told.shares[best[j], j] >= TOLD]
    for j in sorted(found, key=lambda j: -told.shares[best[j], j]):
        share = told.shares[best[j], j]
        yield Markup("{} tells {}: {:.0%} of its entropy.").format(
            told.latents[best[j]], tagged("b", told.factors[j]), share
        )
    lost = [name for j, name in enumerate(told.factors) if j not in found]
    if lost:
        yield Markup("No latent tells {}.").format(listed(lost, "or"))
    for latent, name in enumerate(told.latents[:COMPARED]):
        mixed = told.tells(latent)
        if len(mixed) > 1:
            yield Markup("{} tells {} at once: they are entangled in it.").format(name, listed(mixed))


def _beware(seen: Seen) -> Iterator[Markup]:
    """The health checks that found something, and what one run cannot say."""
    if seen.card is not None:
        for code, message in seen.card.health:
            short = message if len(message) < LONG else message.partition(": ")[0]
            yield Markup("{} ({})").format(short, code)
    if not seen.run.method.fitted:
        yield Markup("This is one seed. Another one of the same settings may well learn something else.")


def _next(seen: Seen, told: Told | None, live: NDArray[np.bool_]) -> Iterator[Markup]:
    """What usually helps, by what was found."""
    if seen.card is None:
        yield Markup("<code>distaff evaluate {}</code> scores this run.").format(quote(str(seen.run.folder)))
    beta = hasattr(seen.run.method, "beta")
    if not live.any():
        smaller = "a smaller beta, or " if beta else ""
        yield Markup("No latent is active: {}more steps.").format(smaller)
    elif told is not None and beta:
        yield from _by_beta(told, live)
    if not seen.run.method.fitted:
        yield Markup(
            "Train it with another <code>--seed</code>, then "
            "<code>distaff report {} OTHER --out both.html</code> shows the two side by side."
        ).format(quote(str(seen.run.folder)))


def _by_beta(told: Told, live: NDArray[np.bool_]) -> Iterator[Markup]:
    """Whether the code could be told to say less or more."""
    lost = [name for j, name in enumerate(told.factors) if told.shares[:, j].max() < TOLD]
    mixed = any(len(told.tells(latent)) > 1 for latent in range(len(told.latents)))
    if lost and not live.all():
        yield Markup(
            "Latents are left that say nothing: a smaller beta, or more steps, may bring in {}."
        ).format(listed(lost))
    if mixed:
        yield Markup("A larger beta, or another seed, may part what is entangled.")


def listed(names: list[str], last: str = "and") -> str:
    """Names with commas between, and a word before the last."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _listed(lines: Iterator[Markup]) -> Markup:
    made = [tagged("li", line) for line in lines]
    return (
        tagged("ul", Markup().join(made))
        if made
        else tagged("p", "Nothing that the checks look for.", "soft")
    )
