"""A page: a title and a list of sections, in one file that needs no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from distaff.pages.palette import THEME
from distaff.pages.parts import joined

EMPTY = Markup()


class Section(NamedTuple):
    """A titled part of a page: HTML, as the functions of `parts` make it, and text, a paragraph each."""

    title: str
    parts: Sequence[str]


def page(
    title: str, lead: Sequence[str], sections: Iterable[Section], head: Markup = EMPTY, tail: Markup = EMPTY
) -> str:
    """The HTML of a page: its title, the lead below it, and every section in a frame.

    A page with a style or scripts of its own has them in `head` and, after all sections, in `tail`.
    """
    text = files("distaff.pages").joinpath("page.html.jinja").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    made = {"title": title, "lead": lead, "sections": sections, "head": head, "tail": tail}
    return template.render(made, theme=THEME, joined=joined)
