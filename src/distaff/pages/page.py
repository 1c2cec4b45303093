"""A page: a title and a list of sections, in one file that needs no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment

from distaff.pages.palette import THEME
from distaff.pages.parts import joined


class Section(NamedTuple):
    """A titled part of a page: HTML, as the functions of `parts` make it, and text, a paragraph each."""

    title: str
    parts: Sequence[str]


def page(title: str, lead: Sequence[str], sections: Iterable[Section]) -> str:
    """The HTML of a page: its title, the lead below it, and every section in a frame."""
    text = files("distaff.pages").joinpath("page.html.jinja").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    return template.render(title=title, lead=lead, sections=sections, theme=THEME, joined=joined)
