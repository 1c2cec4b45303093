"""The page of the gallery: what benchmarks/gallery.py made, with the commands that make it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from gallery import GALLERY, KEPT, PARTS, commands
from markdown_table import table

OUT = Path("runs/gallery")
OPENED = """# Gallery

<!-- Written by `make docs` from benchmarks/gallery.py and what it left in docs/gallery. -->

Trained models to play with and to take along. Each page is one file in which the model's decoder runs in a
browser: download it and open it. Beside it lies its run folder, without what training needs to go on:
`distaff.load_run("docs/gallery/dsprites")` gives the model, and `distaff evaluate`, `report` and `explore`
take it as any other run. Settings of dSprites and chairs are those of the README and of an experiment; the
others are first guesses, one run each, and say nothing of how well a method can do.
"""


def page() -> str:
    """The page, with what is there so far."""
    there = [name for name in GALLERY if (KEPT / f"{name}.html").exists()]
    rows = [(GALLERY[name].told, f"[explore](gallery/{name}.html)", _parts(name)) for name in there]
    every = "`python benchmarks/gallery.py --keep` makes all of them, in about an hour. One by one:"
    header = ("what", "page", "run")
    return "\n".join([OPENED, table(header, rows), every, *(line for name in there for line in _made(name))])


def _parts(name: str) -> str:
    return ", ".join(f"[{part}](gallery/{name}/{part})" for part in PARTS)


def _made(name: str) -> Iterator[str]:
    yield f"\n**{GALLERY[name].told}**\n\n```"
    for words in commands(name, OUT):
        yield shlex.join(["distaff", *words])
    yield "```"
