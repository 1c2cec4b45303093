"""Write the explorer of a run: one HTML file in which its decoder runs, without a server or a network."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from numpy.typing import NDArray

from distaff.files import check_output, write_text
from distaff.pages import parts
from distaff.pages.acting_section import acted
from distaff.pages.explorer import shown
from distaff.pages.explorer.layers import packed, rounded
from distaff.pages.explorer.words import moved, words
from distaff.pages.page import Section, page
from distaff.pages.seen import EXPLORER, REPORT, Seen, see
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

#: what the page runs, in this order
SCRIPTS = (
    "state.js", "pictures.js", "sliders.js", "plane.js", "walk.js", "concepts.js", "acting.js", "start.js"
)  # fmt: skip
#: nothing is loaded: a browser holds the page to that
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "worker-src blob:"
)

GONE = (
    "The agent itself is not in the run's folder, or its codes are another machine's, so it cannot be asked."
)


def explore(
    run: Run | str | os.PathLike[str], out: str | os.PathLike[str] | None = None, *, show: bool = True
) -> Path:
    """Write the explorer of a run to `out`, by default `explorer.html` in its folder, and return its path.

    BadInput, and nothing is written, of a run that cannot decode, or whose decoder has a layer that the page
    does not know.
    """
    run = run if isinstance(run, Run) else load_run(run)
    path = run.folder / EXPLORER if out is None else Path(out)
    check_output(path, ".html")
    layers = run.method.decoding(run.modules)
    network = packed(layers)
    with only_one(run.folder), run.threads():
        seen = see(run, show)
        places, pictures = shown.sheet(seen, shown.chosen(seen))
        made = _data(seen, places) | {"layers": network.layers}
        blobs = {"weights": network.weights, "codes": seen.encoding.mean[places].astype("<f4").tobytes()}
        if run.facts.words:
            made["words"], blobs["symbols"] = words(run)
        agent = shown.agent(seen)
        if agent is not None:
            thinks = packed(agent.layers)
            made["agent"] = {"actions": agent.actions, "layers": thinks.layers}
            blobs["policy"] = thinks.weights
        title = f"{run.config.method} on {run.data.name}"
        sections = [*_controls(seen, made), _in_words(seen, made), _precision(seen, places)]
        tail = _tail(made, blobs, pictures)
        write_text(path, page(title, _lead(seen, path), sections, _head(), tail))
    return path


def _data(seen: Seen, places: NDArray[np.int64]) -> dict[str, Any]:
    """What the scripts read."""
    return {
        "shape": list(seen.run.data.image_shape),
        "latents": shown.latents(seen, places),
        "groups": shown.groups(seen),
        "images": shown.images(seen, places),
        "columns": shown.COLUMNS,
        "concepts": shown.concepts(seen),
    }


def _lead(seen: Seen, path: Path) -> list[str]:
    """What was trained, and where its report is if it is beside this page."""
    run = seen.run
    told = (
        f"{len(run.data):,} images; {run.effort}, seed {run.config.seed}. The decoder runs in this page: "
        "move a slider, or take the code of an image, and see what it makes of it."
    )
    report = path.parent / REPORT
    beside = report.exists() and path.parent.resolve() == run.folder.resolve()
    link = Markup('<p><a href="{}">The report of this run</a></p>').format(REPORT)
    return [told, *([link] if beside else [])]


def _controls(seen: Seen, made: dict[str, Any]) -> Iterable[Section]:
    """The sections that the scripts fill."""
    yield Section("Latents", [_asset("sliders.html")])
    yield Section("Map and grid of two latents", [_asset("plane.html")])
    yield Section("A walk between two codes", [_asset("walk.html")])
    if made["concepts"]:
        yield Section("Concepts", [_asset("concepts.html")])
    told = acted(seen)
    if told is not None:
        yield told._replace(parts=[*told.parts, _asset("acting.html") if "agent" in made else GONE])


def _in_words(seen: Seen, made: dict[str, Any]) -> Section:
    """What the sliders say, as tables, for those who do not see them or whose browser runs no scripts."""
    header = ("latent", "carries", "active", "from", "to", "knows of factors (share of their entropy)")
    latents = [
        (
            each["name"],
            each["carries"],
            "yes" if each["active"] else "no",
            each["low"],
            each["high"],
            ", ".join(f"{name} {share:.2f}" for name, share in each["knows"]) or "–",
        )
        for each in made["latents"]
    ]
    images = [(each["number"], each["told"] or "no labels") for each in made["images"]]
    told = (
        "Latents are ordered by what they carry: their KL to the prior, or their variance where there is no "
        "posterior. They move over the codes that images have (the aggregate posterior, from its .5 % to its "
        "99.5 % quantile, and those of the images on the map), and a generator's over their prior. What a "
        "latent knows of a factor is their mutual information in 20 bins, as in the report."
    )
    tables = [
        parts.folded("All latents", [parts.table(header, latents)]),
        parts.folded("The images on the map", [parts.table(("image", "labels"), images)]),
    ]
    return Section("In words", [told, *tables])


def _precision(seen: Seen, places: NDArray[np.int64]) -> Section:
    """What half precision changes in the images that are decoded from the codes on the map."""
    apart = differences(seen.run, seen.encoding.mean[places])
    told = (
        f"The weights are rounded to half precision. Over the {len(places)} codes on the map the decoded "
        f"pixels (0..1) differ from those of the run's own weights by {apart.max():.2g} at the most and "
        f"{apart.mean():.2g} on average; a screen shows steps of {1 / 255:.2g}."
    )
    if seen.run.facts.words:
        told += f" The means and sigmas of the taught concepts move by {moved(seen.run):.2g} at the most."
    return Section("Precision", [parts.tagged("p", told, "precision")])


@torch.inference_mode()
def differences(run: Run, codes: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far pixels (n, C, H, W), 0..1, decoded from codes (n, d) move as weights become half precision."""
    given = torch.from_numpy(codes).to(run.device)
    images = run.method.decode(rounded(run.modules), given).float().cpu().numpy()
    found: NDArray[np.float32] = np.abs(images - run.decode(codes))
    return found


def _asset(name: str) -> Markup:
    """A file beside this one, which is trusted."""
    return Markup(files("distaff.pages.explorer").joinpath(name).read_text(encoding="utf-8"))


def _head() -> Markup:
    policy = Markup('<meta http-equiv="Content-Security-Policy" content="{}">').format(POLICY)
    return policy + Markup("\n<style>\n{}</style>").format(_asset("explorer.css"))


def _tail(made: dict[str, Any], blobs: dict[str, bytes], pictures: bytes) -> Markup:
    """The data, which the scripts that follow read from these elements."""
    text = json.dumps(made, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    held = [("data", text), *((name, base64.b64encode(blob).decode()) for name, blob in blobs.items())]
    elements = [
        Markup('<script type="text/plain" id="{}">{}</script>').format(name, Markup(value))
        for name, value in [*held, ("decoder", _asset("decoder.js"))]
    ]
    sheet = Markup('<img id="sheet" src="data:image/png;base64,{}" alt="" hidden>')
    code = Markup("\n").join(_asset(name) for name in SCRIPTS)
    return Markup("\n").join(
        [
            sheet.format(base64.b64encode(pictures).decode()),
            *elements,
            Markup("<script>\n{}</script>").format(code),
        ]
    )
