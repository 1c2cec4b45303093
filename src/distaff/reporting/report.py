"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.evaluation.desiderata import lines, read_desiderata
from distaff.evaluation.encode import Encoding, encode_run
from distaff.evaluation.evaluate import read_card
from distaff.evaluation.orthogonality import Orthogonality, run_orthogonality
from distaff.evaluation.posterior import ACTIVE_KL, ACTIVE_SHARE, active, carried
from distaff.files import write_text
from distaff.metrics.arrays import check_factors, usable_factors
from distaff.metrics.information import discretise, entropy, mutual_information
from distaff.metrics.posterior import mean_variance
from distaff.reporting import figures
from distaff.reporting.page import page
from distaff.reporting.traversals import SHOWN_LATENTS, has_prior, traversals
from distaff.scoring.card import ScoreCard
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

SHOWN_IMAGES = 10
MOST_JACOBIAN_COLUMNS = 64
ROWS_WITHOUT_SCORES = 2_000  # images encoded for a report of a run that was not evaluated


def report(run: Run | str | os.PathLike[str], *, show: bool = True) -> Path:
    """Write `report.html` into the run folder and return its path.

    It shows the scores if the run was evaluated, and says so if it was not.
    """
    run = run if isinstance(run, Run) else load_run(run)
    path = run.folder / "report.html"
    with only_one(run.folder), run.threads():
        card = read_card(run)
        write_text(path, _page(run, card, _encoding(run, card, show)))
    return path


def _encoding(run: Run, card: ScoreCard | None, show: bool) -> Encoding:
    if card is not None:
        return encode_run(run, card.protocol.get("rows asked for"), card.protocol["seed"], show)
    index = np.unique(np.linspace(0, len(run.data) - 1, ROWS_WITHOUT_SCORES).astype(np.int64))
    return Encoding(index, *run.encode(run.data.images(index)))


def _page(run: Run, card: ScoreCard | None, encoding: Encoding) -> str:
    judged = read_desiderata(run)
    order = np.argsort(-carried(encoding))
    shown = order[:SHOWN_LATENTS]
    names = run.method.column_names(run.facts)
    history = run.history()
    channels, *sides = run.data.image_shape
    last = history[-1] if history else {}
    return page(
        "reporting",
        "report.html.jinja",
        run=run,
        card=card,
        sizes=" × ".join(map(str, sides)) + (" RGB" if channels == 3 else " grey"),
        latents=_latents(encoding, shown, names),
        active=int(active(encoding).sum()),
        active_kl=ACTIVE_KL,
        active_share=ACTIVE_SHARE,
        posterior=encoding.logvar is not None,
        prior=has_prior(run, encoding),
        categorical=bool(run.method.one_hot(run.facts)),
        orthogonality=_orthogonality(run, encoding),
        traversals=_traversals(run, encoding, order),
        reconstructions=_reconstructions(run, encoding),
        atoms=_atoms(run, order, names),
        matrix=_information(run, encoding, shown, names),
        desiderata=lines(judged) if judged else None,
        views=_views(judged) if judged else None,
        last={name: value for name, value in last.items() if name not in figures.NO_TERMS},
        curves=figures.curves(history) if len(history) > 1 else None,
        unconverged=_took_all_iterations(run, last),
        layers=_layers(last),
        images_per_second=np.median([line["images_per_second"] for line in history]) if history else None,
    )


def _views(judged: dict[str, Any]) -> str:
    views = judged["views"]
    panels = {"principal components": views["pca"], "t-SNE": views["tsne"]}
    return figures.views(panels, views["classes"], judged["label"])


def _latents(encoding: Encoding, order: NDArray[np.int64], names: list[str]) -> list[dict[str, Any]]:
    spread, nats, live = encoding.mean.std(axis=0), carried(encoding), active(encoding)
    noise = None if encoding.logvar is None else mean_variance(encoding.logvar)
    return [
        {
            "name": names[j],
            "carried": float(nats[j]),
            "spread": float(spread[j]),
            "noise": None if noise is None else float(noise[j]),
            "active": bool(live[j]),
        }
        for j in order
    ]


def _traversals(run: Run, encoding: Encoding, order: NDArray[np.int64]) -> list[dict[str, Any]] | None:
    """Strips as the page needs them, with their values only where the strip above has others."""
    try:
        strips = traversals(run, encoding, [int(j) for j in order])
    except BadInput:
        return None
    nats, live = carried(encoding), active(encoding)
    above: list[list[str]] = [[], *(strip.values for strip in strips)]
    return [
        {
            "name": strip.name,
            "carried": float(nats[strip.columns[0]]) if len(strip.columns) == 1 else None,
            "active": len(strip.columns) > 1 or bool(live[strip.columns[0]]),
            "values": strip.values if strip.values != before else [],
            "picture": figures.png(strip.images),
        }
        for strip, before in zip(strips, above, strict=False)
    ]


def _orthogonality(run: Run, encoding: Encoding) -> Orthogonality | None:
    """None where it takes too long, or says nothing: of what was fitted, and of codes that jump."""
    method = run.method
    if method.fitted or method.one_hot(run.facts) or run.code_size > MOST_JACOBIAN_COLUMNS:
        return None
    try:
        return run_orthogonality(run, encoding)
    except BadInput:
        return None


def _reconstructions(run: Run, encoding: Encoding) -> tuple[str, str] | None:
    n = len(encoding.rows)
    chosen = np.random.default_rng(0).choice(n, size=min(SHOWN_IMAGES, n), replace=False)
    try:
        decoded = run.decode(encoding.mean[chosen])
    except BadInput:
        return None
    return figures.png(run.data.unit_images(encoding.rows[chosen])), figures.png(decoded)


def _atoms(run: Run, order: NDArray[np.int64], names: list[str]) -> list[tuple[str, str]] | None:
    """Every atom, its name and picture, the latent that carries most first."""
    atoms = run.method.atoms(run.modules)
    if atoms is None:
        return None
    shown = atoms.cpu().numpy()[order]
    largest = np.abs(shown).max(axis=(1, 2, 3), keepdims=True)
    pictures = 0.5 + 0.5 * shown / np.maximum(largest, 1e-12)
    return [(names[j], figures.png(one[None])) for j, one in zip(order, pictures, strict=True)]


def _took_all_iterations(run: Run, last: dict[str, float]) -> bool:
    """Whether a fit ended because its iterations did, by the last line of its history."""
    most = getattr(run.method, "iterations", None)
    return most is not None and last.get("iterations") == most


def _layers(last: dict[str, float]) -> list[dict[str, Any]]:
    """The KL of each stochastic layer at the end of training, nats per image; none for a single layer."""
    kls = {name.removeprefix("kl_"): kl for name, kl in last.items() if name.startswith("kl_")}
    return [
        {"number": number, "kl": kl, "collapsed": kl < ACTIVE_KL}
        for number, kl in kls.items()
        if number.isdecimal()
    ]


def _information(run: Run, encoding: Encoding, order: NDArray[np.int64], names: list[str]) -> str | None:
    """Mutual information of latents and factors, as a share of the factor's entropy."""
    labels = run.data.labels(encoding.rows)
    if labels is None:
        return None
    usable, _ = usable_factors(labels, run.data.label_names)
    if not usable:
        return None
    factors = check_factors(labels[:, usable])
    shares = mutual_information(discretise(encoding.mean[:, order], 20), factors) / entropy(factors)
    return figures.matrix(shares, [names[j] for j in order], [run.data.label_names[j] for j in usable])
