"""Exit statuses: 0 done, 1 failed, 2 bad input, 130 interrupted, each but the first with one line."""

from __future__ import annotations

import errno
import sys

import typer

from distaff.errors import BadInput, Diverged


def explained(error: BaseException) -> tuple[int, str]:
    """The exit status and the one line for an error. An unexpected one is raised again, to be reported."""
    if isinstance(error, KeyboardInterrupt):
        return 130, str(error) or "interrupted; run the same command again to continue"
    if isinstance(error, BadInput):
        return 2, _printable(" ".join(str(error).split()))
    if hasattr(error, "format_message"):  # wrong usage, as the parser says it
        context = getattr(error, "ctx", None)
        place = f" See: {context.command_path} --help" if context else ""
        return 2, " ".join(error.format_message().split()) + place
    if hasattr(error, "exit_code"):  # --help and --version end so
        return error.exit_code, ""
    if isinstance(error, OSError):
        hint = "" if error.errno != errno.ENOSPC else "; free some space and run the same command again"
        return 2, f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}{hint}"
    if isinstance(error, Diverged):
        return 1, str(error)
    if isinstance(error, MemoryError) or "not enough memory" in str(error) or "out of memory" in str(error):
        return 1, "there is not enough memory; a smaller batch_size, --rows or resolution takes less"
    raise error


def _printable(text: str) -> str:
    """Text without characters that a terminal would obey; names in files may hold them."""
    return "".join(character if character.isprintable() else "?" for character in text)


def tell_failures(failed: dict[str, str]) -> None:
    """Leave with status 1 where a metric ended in an error of its own; the other scores are printed."""
    if failed:
        lines = "".join(f"\n  {name}: {reason}" for name, reason in failed.items())
        print(f"distaff: {len(failed)} scores have failed, please report it:{lines}", file=sys.stderr)
        raise typer.Exit(1)
