"""A CSV file with the labels of a folder's images."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.labels import Labels, of_columns
from distaff.errors import BadInput
from distaff.files import read_csv

MOST_COMPARED = 2000  # names, letter by letter


def read_label_file(path: Path, files: Sequence[str]) -> Labels:
    """The labels of the files, from a CSV with a header and a file name in front of each line."""
    header, (listed, *columns) = read_csv(path, headed=True)
    if len(header) < 2:
        raise BadInput(f"{path} needs a header with the file name first and at least one label after it")
    names = header[1:]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise BadInput(f"{path} has two columns named '{twice}'; give each a name of its own")
    order = _order([str(name) for name in listed], files, path)
    return of_columns({name: column[order] for name, column in zip(names, columns, strict=True)}, str(path))


def _order(listed: Sequence[str], files: Sequence[str], path: Path) -> NDArray[np.int64]:
    """The number of the line of each file, or an error where lines and files do not match one to one."""
    line = {file: number for number, file in enumerate(listed)}
    if len(line) < len(listed):
        twice = next(file for number, file in enumerate(listed) if line[file] != number)
        raise BadInput(f"{path} labels '{twice}' twice")
    known = set(files)
    without = [file for file in files if file not in line]
    extra = [name for name in listed if name not in known]
    if without and extra:
        raise BadInput(_mismatch(path, without, extra, len(files)))
    if without:
        raise BadInput(
            f"{path} has no line for '{without[0]}'" + _of(len(without), len(files), "images have none")
        )
    if extra:
        near = nearest(extra[0], files)
        hint = f"; the nearest is '{near[0]}', which has a line of its own" if near else ""
        raise BadInput(f"{path} labels '{extra[0]}', which is not in the folder{hint}")
    return np.array([line[file] for file in files], dtype=np.int64)


def _mismatch(path: Path, without: Sequence[str], extra: Sequence[str], n: int) -> str:
    """That a file has no line, and the line that is probably meant."""
    for name in extra:
        near = nearest(name, without)
        if near:
            return (
                f"{path} has no line for '{near[0]}'; it has one for '{name}', which differs {near[1]}. "
                "Write the names as the folder has them" + _of(len(without), n, "images have no line")
            )
    return (
        f"{path} has no line for '{without[0]}', and labels '{extra[0]}', which is not in the folder. Write "
        "the names as the folder has them" + _of(len(without), n, "images have no line")
    )


def _of(count: int, n: int, what: str) -> str:
    return f" ({count} of {n} {what})" if n > 1 else ""


def nearest(name: str, names: Sequence[str]) -> tuple[str, str] | None:
    """The one of `names` that is probably meant by `name`, and in what they differ."""
    for alike in (_folded, _last, _bare, _bare_last):
        found = {alike(other): other for other in reversed(names)}
        other = found.get(alike(name))
        if other is not None:
            return other, "in " + " and ".join(_differences(name, other, alike))
    close = difflib.get_close_matches(name, names[:MOST_COMPARED], n=1)
    return (close[0], "in its letters") if close else None


def _slashed(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _composed(_composed(_slashed(name)).casefold())


def _last(name: str) -> str:
    return _folded(name).rpartition("/")[2]


def _bare(name: str) -> str:
    front, dot, end = _folded(name).rpartition(".")
    return front if dot and front and "/" not in end else _folded(name)


def _bare_last(name: str) -> str:
    return _bare(name).rpartition("/")[2]


def _differences(name: str, other: str, alike: Callable[[str], str]) -> list[str]:
    """In what two names differ that `alike` makes the same."""
    first, second = _slashed(name), _slashed(other)
    found = ["its slashes"] if (first != name) != (second != other) else []
    if (
        alike in (_last, _bare_last)
        and _folded(first).rpartition("/")[0] != _folded(second).rpartition("/")[0]
    ):
        found.append("the folders in front")
    first, second = first.rpartition("/")[2], second.rpartition("/")[2]
    if alike in (_bare, _bare_last):
        ends = (Path(first).suffix.casefold(), Path(second).suffix.casefold())
        if ends[0] != ends[1]:
            found.append("its ending")
        first, second = _stem(first), _stem(second)
    if _composed(first) != first or _composed(second) != second:
        found += ["its Unicode form"] if first != second else []
    if _composed(first) != _composed(second):
        found.append("upper and lower case")
    return found or ["its spelling"]


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name
