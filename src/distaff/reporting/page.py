"""HTML pages: templates of a room, filled in, which hold their own pictures."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import Any


def page(room: str, template: str, **values: Any) -> str:
    """The page of a template in a room's folder; what is put in is escaped."""
    from jinja2 import Environment

    text = files(f"distaff.{room}").joinpath(template).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(text).render(values)


def data_uri(png: bytes) -> str:
    """A PNG file as an address that a page can hold."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
