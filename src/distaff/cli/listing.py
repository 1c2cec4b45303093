"""`distaff list`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from distaff import registry
from distaff.cli.options import DataDir, Json, tell
from distaff.settings import Settings, describe

KINDS = " or ".join(", ".join(registry.TABLES).rsplit(", ", 1))


def list_(
    kind: Annotated[str, Argument(help=KINDS)],
    name: Annotated[str | None, Argument(help="One of them, to see its settings.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what there is, or show the settings of one.

    Data sets that need a file which is not in the data folder are marked.
    """
    if name is not None:
        registry.check(kind, name)
        _show(kind, name, as_json)
        return
    found = [{"name": each, "summary": registry.summary(kind, each)} for each in registry.names(kind)]
    if kind == "datasets":
        _mark_files(found, data_dir)
    width = max([0, *(len(each["name"]) for each in found)])
    lines = [f"{each['name']:<{width}}  {each['summary']}{_mark(each)}" for each in found]
    tell("\n".join(lines) or f"no {kind} yet", found, as_json)


def _mark_files(found: list[dict[str, Any]], data_dir: Path | None) -> None:
    """Add to data sets whether they can be loaded, and what file they need if not."""
    from distaff.machine import data_folder

    folder = data_folder(data_dir)
    for each in found:
        places = registry.get("datasets", each["name"]).places
        there = not places or (folder is not None and any((folder / place).exists() for place in places))
        each |= {"available": there, "needs": places[0] if places else None}


def _mark(each: dict[str, Any]) -> str:
    return "" if each.get("available", True) else f" [needs {each['needs']} in the data folder]"


def _show(kind: str, name: str, as_json: bool) -> None:
    thing = registry.get(kind, name)
    text = inspect.getdoc(thing) or ""
    has_settings = isinstance(thing, type) and issubclass(thing, Settings)
    rows = [row._asdict() for row in describe(thing)] if has_settings else []
    if rows:
        settings = [f"  {r['name']}={r['default']}  {r['help']} ({r['allowed']})" for r in rows]
        text += "\n\nSettings:\n" + "\n".join(settings)
    tell(text, {"name": name, "description": inspect.getdoc(thing), "settings": rows}, as_json)
