"""Write docs/methods.md, docs/metrics.md and docs/datasets.md from what is registered.

Run by `make docs`; a test fails where a page is not what this writes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from distaff import registry
from distaff.datasets import load_dataset
from distaff.settings import describe

HERE = Path(__file__).parent
MADE = "<!-- Written by `make docs` from the registry; edit the docstrings instead. -->\n"


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def methods() -> str:
    """Every method: what it is, its settings, its differences from the paper."""
    rows: list[tuple[object, ...]] = [
        (f"[`{name}`](#{name})", registry.summary("methods", name)) for name in registry.names("methods")
    ]
    parts = ["# Methods\n", MADE, table(("name", "what it is"), rows)]
    for name in registry.names("methods"):
        method = registry.get("methods", name)
        settings = [(f"`{s.name}`", f"`{s.default}`", s.allowed, s.help) for s in describe(method)]
        parts += [f"## {name}\n", inspect.getdoc(method) + "\n"]
        parts.append(table(("setting", "default", "allowed", "meaning"), settings))
    return "\n".join(parts)


def metrics() -> str:
    """Every metric: range, direction, source, and what it gives on constructed codes."""
    parts = ["# Metrics\n", MADE]
    rows: list[tuple[object, ...]] = []
    for name in registry.names("metrics"):
        d = registry.get("metrics", name).declaration
        better = "higher" if d.higher_is_better else "lower"
        rows.append((f"[`{name}`](#{name})", f"{d.low:g} to {d.high:g}", better, d.source))
    parts.append(table(("name", "range", "better", "source"), rows))
    for name in registry.names("metrics"):
        function = registry.get("metrics", name)
        d = function.declaration
        parts += [f"## {name}\n", f"`{name}({_arguments(function)})`\n", inspect.getdoc(function) + "\n"]
        unmoved = ", ".join(sorted(d.invariant_to)) or "nothing"
        parts.append(f"Invariant to: {unmoved}. On constructed codes (`distaff.testing.SITUATIONS`):\n")
        parts.append(
            table(("codes", "value"), [(s, f"{low:g} to {high:g}") for s, (low, high) in d.truth.items()])
        )
    return "\n".join(parts)


def _arguments(function: Callable[..., object]) -> str:
    arguments = inspect.signature(function).parameters.values()
    return ", ".join(a.name if a.default is a.empty else f"{a.name}={a.default}" for a in arguments)


def datasets() -> str:
    """Every data set: its card and its settings."""
    parts = ["# Data sets\n", MADE]
    for name in registry.names("datasets"):
        kind = registry.get("datasets", name)
        card = load_dataset(name, data_dir="/nonexistent").card()
        factors = ", ".join(f"{factor} {size}" for factor, size in (card["factors"] or {}).items())
        facts: list[tuple[object, ...]] = [
            ("images", f"{card['images']:,}"),
            ("shape", " x ".join(map(str, card["shape"]))),
            ("factors", factors or "none"),
            ("licence", card["licence"]),
            ("citation", card["citation"]),
        ]
        settings = [(f"`{s.name}`", f"`{s.default}`", s.allowed, s.help) for s in describe(kind)]
        parts += [f"## {name}\n", inspect.getdoc(kind) + "\n", table(("", ""), facts)]
        parts.append(table(("setting", "default", "allowed", "meaning"), settings))
    return "\n".join(parts)


PAGES = {"methods.md": methods, "metrics.md": metrics, "datasets.md": datasets}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (HERE / name).write_text(write(), encoding="utf-8")
