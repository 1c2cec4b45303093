"""Traversals as a film for slides: every active latent moves there and back, all at once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from distaff.errors import BadInput
from distaff.evaluation.posterior import active
from distaff.files import replacing
from distaff.pages.images import colours
from distaff.pages.seen import see
from distaff.pages.traversals import Strip, traversals
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

FRAMES, MILLISECONDS = 24, 50  # one way, and of each
SIDE, COLUMNS, GAP, CAPTION = 128, 5, 8, 22  # pixels
GROUND, INK = (255, 255, 255), (30, 30, 30)


def animate(run: Run | str | os.PathLike[str], *, show: bool = True) -> Path:
    """Write `traversals.gif` into the run folder and return its path.

    A picture for each active latent of the 20 that carry most, in that order, as in the report. Raises
    BadInput for a method without a decoder, and where no latent is active.
    """
    run = run if isinstance(run, Run) else load_run(run)
    path = run.folder / "traversals.gif"
    with only_one(run.folder), run.threads():
        seen = see(run, show)
        live = active(seen.encoding)
        strips = traversals(run, seen.encoding, seen.order.tolist(), FRAMES)
        shown = [strip for strip in strips if len(strip.columns) == 1 and live[strip.columns[0]]]
        if not shown:
            raise BadInput(f"no latent of {run.folder} is active, so nothing would move")
        there = [frame(shown, place) for place in range(FRAMES)]
        with replacing(path) as partial:
            film = [*there, *there[-2:0:-1]]
            film[0].save(
                partial, format="gif", save_all=True, append_images=film[1:], duration=MILLISECONDS, loop=0
            )
    return path


def frame(strips: list[Strip], place: int) -> Image.Image:
    """The images of all strips at a place, in rows of five, each above its name."""
    tiles = [_tile(strip.images[place]) for strip in strips]
    width, height = tiles[0].size
    columns, rows = min(COLUMNS, len(tiles)), -(-len(tiles) // COLUMNS)
    across, down = width + GAP, height + CAPTION
    page = Image.new("RGB", (columns * across + GAP, rows * down + GAP), GROUND)
    draw = ImageDraw.Draw(page)
    for number, (tile, strip) in enumerate(zip(tiles, strips, strict=True)):
        x, y = GAP + number % COLUMNS * across, GAP + number // COLUMNS * down
        page.paste(tile, (x, y))
        draw.text((x + width // 2, y + height + 2), strip.name, INK, ImageFont.load_default(13), anchor="ma")
    return page


def _tile(image: NDArray[np.float32]) -> Image.Image:
    """An image (C, H, W) in 0..1, so many whole times as large as fit into 128 pixels."""
    (pixels,) = colours(image[None])
    times = max(1, SIDE // max(pixels.shape[:2]))
    return Image.fromarray(pixels.repeat(times, axis=0).repeat(times, axis=1))
