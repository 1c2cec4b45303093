"""Docstrings as reStructuredText: they are plain text, in which `name` is code and |x| a magnitude."""

import re

#: characters that would begin a substitution, a target, emphasis or a reference
MARKUP = re.compile(r"([\\*|_])")
CODE = re.compile(r"(`[^`]+`)")


def as_restructured(lines: list[str]) -> None:
    """Rewrite the lines of a docstring in place."""
    lines[:] = [_line(line) for line in lines]


def _line(line: str) -> str:
    if line.lstrip().startswith(">>>"):
        return line
    parts = CODE.split(line)
    return "".join(f"`{part}`" if part.startswith("`") else MARKUP.sub(r"\\\1", part) for part in parts)
