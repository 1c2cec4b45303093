"""The sections of a run's report: functions of what is seen of it, None where there is nothing to show."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import numpy as np
import pandas as pd
from markupsafe import Markup

from distaff.errors import BadInput
from distaff.evaluation.desiderata import lines, read_desiderata
from distaff.evaluation.evaluate import read_card
from distaff.evaluation.posterior import ACTIVE_KL, ACTIVE_SHARE, active, carried
from distaff.metrics.posterior import mean_variance
from distaff.pages import parts
from distaff.pages.figures import NO_TERMS, heat_map, history_curves, views
from distaff.pages.page import Section
from distaff.pages.parts import tagged
from distaff.pages.seen import Seen, known
from distaff.pages.traversals import SHOWN_LATENTS, Strip, has_prior, traversals
from distaff.scoring.card import Score, ScoreCard

SHOWN_IMAGES = 10


def scores(seen: Seen) -> Section:
    """Every score between chance and ceiling, health findings and protocol, of mean codes and of sampled."""
    cards = [card for card in (seen.card, read_card(seen.run, "sampled")) if card is not None]
    made = [part for card in cards for part in _scored(card)]
    if seen.card is None:
        told = Markup("{} <code>distaff evaluate {}</code> adds {} scores here.")
        words = ("Of this run sampled codes alone were evaluated.", "those of mean codes, the usual")
        said = words if cards else ("This run was not evaluated.", "its")
        made.insert(0, tagged("p", told.format(said[0], quote(str(seen.run.folder)), said[1]), "soft"))
    return Section("Scores", made)


def _scored(card: ScoreCard) -> list[str]:
    """What a card says."""
    bars = (
        "Bars run from chance (what noise scores on these factors) to the ceiling (what the factors "
        "themselves score)."
    )
    header = ("score", "value", "95 % interval", "chance", "ceiling", "")
    rows = [_score(name, score) for name, score in card.scores.items()]
    health = (tagged("li", tagged("b", code) + f" {message}") for code, message in card.health)
    found = tagged("ul", Markup().join(health)) if card.health else ""
    return [bars, parts.table(header, rows), found, _protocol(card)]


def _score(name: str, s: Score) -> list[object]:
    """A row of the table of scores."""
    label = tagged("span", name) + ("" if s.higher_is_better else tagged("small", " lower is better"))
    if s.value is None:
        return [label, s.reason]
    ends = None if s.low is None or s.high is None else f"{parts.number(s.low)} – {parts.number(s.high)}"
    bar = Markup('<div class="bar"><span style="width:{:.1f}%"></span></div>')
    share = "" if s.scaled is None else bar.format(100 * min(max(s.scaled, 0), 1))
    return [label, s.value, ends, s.chance, s.ceiling, share]


def _protocol(card: ScoreCard) -> str:
    """How the scores were measured, in words."""
    protocol = card.protocol
    left_out = [f" Left out: {name} ({why})." for name, why in protocol.get("left out", {}).items()]
    notes = [f" Note: {note}." for note in protocol.get("notes", [])]
    kind = "a sample" if protocol["representation"] == "sampled" else "the mean"
    return f"{protocol['rows']:,} images{card.of_units}, {kind} of each code; {card.how}." + "".join(
        [*left_out, *notes]
    )


def traversed(seen: Seen) -> Section:
    """Images as each latent moves; inactive latents are folded away."""
    try:
        strips = traversals(seen.run, seen.encoding, seen.order.tolist())
    except BadInput:
        told = f"{seen.run.config.method} has no decoder, so its codes cannot be shown as images."
        return Section("Traversals", [told])
    live, above = active(seen.encoding), [[], *(strip.values for strip in strips)]
    shown: list[str] = [_what_moves(seen)]
    idle: list[str] = []
    for strip, before in zip(strips, above, strict=False):
        kept = len(strip.columns) > 1 or live[strip.columns[0]]
        (shown if kept else idle).append(_moved(seen, strip, strip.values != before))
    if idle:
        shown.append(parts.folded(f"{len(idle)} inactive latent{'s' if len(idle) > 1 else ''}", idle))
    return Section("Traversals", shown)


def _what_moves(seen: Seen) -> str:
    """What moves from where to where, in words."""
    categorical = seen.run.method.one_hot(seen.run.facts)
    top = ", below the categorical codes, which take each of their values" if categorical else ""
    span = "There is no prior: each moves from the 1 % to the 99 % quantile of its own codes."
    if has_prior(seen.run, seen.encoding):
        unit = "" if seen.encoding.logvar is None else " standard deviations of the prior"
        span = f"It moves from -2 to 2{unit}."
    most = SHOWN_LATENTS
    cut = f" Shown are the {most} of {len(seen.names)} that carry most." if len(seen.names) > most else ""
    return (
        "One latent moves while the others stay, from the image whose code is nearest the centre; the latent "
        f"that carries most is on top{top}. {span}{cut}"
    )


def _moved(seen: Seen, strip: Strip, with_values: bool) -> Markup:
    """A strip, and what its latent carries; its values only where the strip above has others."""
    most, note = carried(seen.encoding)[strip.columns[0]], ""
    if len(strip.columns) == 1:
        note = f"variance {most:.3g}" if seen.encoding.logvar is None else f"{most:.2f} nats"
    images = parts.picture(strip.images, f"Images decoded as {strip.name} moves")
    return parts.labelled(strip.name, images, note, strip.values if with_values else ())


def reconstructions(seen: Seen) -> Section | None:
    """Images of the data set above what is decoded from their codes; none without a decoder."""
    rows = seen.encoding.rows
    chosen = np.random.default_rng(0).choice(len(rows), size=min(SHOWN_IMAGES, len(rows)), replace=False)
    try:
        decoded = parts.picture(seen.run.decode(seen.encoding.mean[chosen]), "Their reconstructions")
    except BadInput:
        return None
    images = parts.picture(seen.run.data.unit_images(rows[chosen]), "Images of the data set")
    told = "Images of the data set, and what the decoder makes of their codes."
    strips = parts.labelled("image", images), parts.labelled("decoded", decoded)
    return Section("Reconstructions", [told, *strips])


def atoms(seen: Seen) -> Section | None:
    """Every atom of a linear code, the latent that carries most first."""
    found = seen.run.method.atoms(seen.run.modules)
    if found is None:
        return None
    drawn = Markup()
    for name, atom in zip(np.array(seen.names)[seen.order], found.cpu().numpy()[seen.order], strict=True):
        contrast = 0.5 + 0.5 * atom / max(np.abs(atom).max(), 1e-12)
        image = parts.picture(contrast[None], f"Atom of latent {name}")
        drawn += tagged("figure", image + tagged("figcaption", name))
    told = (
        "What each latent adds to an image; grey is nothing, each at its own contrast. The latent that "
        "carries most comes first."
    )
    return Section("Atoms", [told, tagged("div", drawn, "atoms")])


def knowledge(seen: Seen) -> Section:
    """What each latent knows of each factor, and what it carries."""
    told = f"A latent is called active above {ACTIVE_KL} nats."
    if seen.encoding.logvar is None:
        told = (
            "These codes have no posterior, so there is no KL: what is shown is the variance of each over "
            f"images, in its own units. A latent is called active above {ACTIVE_SHARE} of the largest."
        )
    return Section("What each latent knows", [*_information(seen), told, parts.frame_table(_latents(seen))])


def _information(seen: Seen) -> Iterator[str]:
    """Mutual information of latents and factors, as a share of the factor's entropy."""
    shown = seen.order[:SHOWN_LATENTS]
    columns, shares = known(seen, shown)
    if not columns:
        yield "The data set has no labels that the latents can be compared with."
        return
    told = "Mutual information of latent and factor, as a share of the factor's entropy"
    rows = [seen.names[j] for j in shown]
    some = (
        "" if len(rows) == len(seen.names) else f", of the {len(rows)} of {len(seen.names)} that carry most"
    )
    yield f"{told} (20 bins){some}."
    yield parts.drawing(told, heat_map(shares, rows, columns, span=(0, 1)))


def _latents(seen: Seen) -> pd.DataFrame:
    """What each latent carries, and whether it is active."""
    encoding = seen.encoding
    columns = {"latent": seen.names, "variance": carried(encoding)}
    if encoding.logvar is not None:
        columns = {
            "latent": seen.names,
            "KL to N(0, 1), nats": carried(encoding),
            "std. of means": encoding.mean.std(axis=0),
            "mean variance": mean_variance(encoding.logvar),
        }
    live = np.where(active(encoding), "yes", "no")
    return pd.DataFrame(columns | {"active": live}).iloc[seen.order[:SHOWN_LATENTS]]


def desiderata(seen: Seen) -> Section | None:
    """The run judged as a representation, where it was."""
    judged = read_desiderata(seen.run)
    if judged is None:
        return None
    told = "Mean codes, beside the first two principal components of the pixels."
    rows = parts.table(("", "codes", "pixels' plane", ""), lines(judged))
    panels = {"principal components": judged["views"]["pca"], "t-SNE": judged["views"]["tsne"]}
    words = seen.run.data.words.get(judged["label"])
    figure = views(panels, judged["views"]["classes"], judged["label"], words)
    drawn = parts.drawing(f"Codes in two dimensions, coloured by {judged['label']}", figure)
    return Section("As a representation", [told, rows, drawn])


def layers(seen: Seen) -> Section | None:
    """The KL of each stochastic layer at the end of training; none for a single layer."""
    last = seen.history[-1] if seen.history else {}
    kls = {name.removeprefix("kl_"): kl for name, kl in last.items() if name.startswith("kl_")}
    rows = [
        (layer, kl, "collapsed" if kl < ACTIVE_KL else "") for layer, kl in kls.items() if layer.isdecimal()
    ]
    told = (
        "The KL of each layer at the end of training, nats per image; layer 1 is the code, each other is "
        f"above the one before. Below {ACTIVE_KL} a layer has collapsed: what it holds is nearly its prior."
    )
    return Section("Layers", [told, parts.table(("layer", "KL, nats", ""), rows)]) if rows else None


def training(seen: Seen) -> Section | None:
    """The loss and its terms over steps, or what a fit came to."""
    if not seen.history:
        return None
    last, config = seen.history[-1], seen.run.config
    told, drawn = "", _fit(seen, last)
    if len(seen.history) > 1:
        told = "Means over the steps since the point before. "
        drawn = parts.drawing("The loss and its terms", history_curves(seen.history))
    if "reconstruction" in last:
        told += "The loss and the reconstruction are in nats per image. "
    speed = np.median([line["images_per_second"] for line in seen.history])
    threads = f"{config.threads} thread{'s' if config.threads > 1 else ''}"
    told += f"{speed:,.0f} images a second with {threads} on {config.device}."
    return Section("Training", [told, drawn])


def _fit(seen: Seen, last: dict[str, float]) -> Markup:
    """The numbers of a history of one line, and whether all iterations were taken."""
    most = getattr(seen.run.method, "iterations", None)
    rows: list[tuple[object, ...]] = []
    for name, value in last.items():
        if name == "iterations":
            remark = "all that were allowed: it had not converged" if value == most else ""
            rows.append((name, int(value), remark))
        elif name not in NO_TERMS:
            rows.append((name, value, ""))
    return parts.table(("", "", ""), rows)


def settings(seen: Seen) -> Section:
    """Everything that repeats the run."""
    run, dataset = seen.run, seen.run.config.dataset
    method = dict(run.config.settings)
    if run.normalised_beta is not None:
        method["normalised beta"] = f"{run.normalised_beta:.5f} (beta × latents / pixels)"
    data = [("data set", dataset.name), *(dataset.options or {}).items(), ("source", dataset.source)]
    data += [("note", run.data.note)] if run.data.note else []
    data += [("trained", f"{run.effort}, seed {run.config.seed}"), *run.config.versions.items()]
    both = parts.definitions(method.items()) + parts.definitions(data)
    return Section("Settings", [tagged("div", both, "columns")])
