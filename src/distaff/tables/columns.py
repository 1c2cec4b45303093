"""What the cells of a column mean: numbers, words, or no value. The same for files and for arrays."""

import math
import numbers
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput

#: texts that stand for no value: those that pandas reads so, and errors of spreadsheets
MISSING = frozenset(
    [
        *("", "#N/A", "#N/A N/A", "#NA", "N/A", "n/a", "NA", "<NA>", "NULL", "null", "None"),
        *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
        *("na", "N.A.", "n.a.", "NaT"),
        *("#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"),
        *("#NV", "#WERT!", "#BEZUG!", "#ZAHL!"),  # in German
    ]
)
#: texts that stand for no value among numbers, and may be words among words; in small letters
NO_NUMBER = frozenset(
    ["?", "-", "--", "---", ".", "..", "...", "*", "missing", "unknown", "undefined", "nil"]
)
DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
#: a number with a decimal comma, perhaps with points for thousands: -1,5e3, 1.234,5
DECIMAL_COMMA = re.compile(r"[+-]?(?:\d*|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?", re.ASCII)
#: what a column of decimals is made of, and float() takes nothing else of
PLAIN = re.compile(r"[0-9+\-.eE \n]*")
#: a date as spreadsheets, Stata, JSON and NumPy write it, and what of a time says nothing
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00:00(?:\.0+)?Z?", re.ASCII)
EXACT = 2.0**53  # from here on floats do not tell all whole numbers apart
MOST_DIGITS = 300  # of a whole number; more would be beyond any float
SHOWN = 40  # characters of a cell in a message

Number = int | float


@dataclass(frozen=True)
class Column:
    """One column: its cells (n,) as numbers where all are, else as objects, and what each of them is.

    Objects are texts, numbers, or None for no value. `missing` and `number` (n,) say which cells have no
    value and which are finite numbers; the rest are words or infinite. `order` are the words of a category
    in their order, () where it has none.
    """

    cells: NDArray[Any]
    missing: NDArray[np.bool_]
    number: NDArray[np.bool_]
    order: tuple[str, ...] | None = None

    @property
    def odd(self) -> NDArray[np.bool_]:
        """Which cells (n,) are neither numbers nor missing."""
        return ~(self.number | self.missing)

    def reals(self) -> NDArray[np.float64]:
        """The numbers (n,) as float64; all cells must be numbers. OverflowError where one is too large."""
        if self.cells.dtype != object:
            return self.cells.astype(np.float64)
        known = {cell: float(_number(cell)) for cell in set(self.cells)}  # type: ignore[arg-type]
        return np.array([known[cell] for cell in self.cells], dtype=np.float64)

    def classes(self, words: bool) -> tuple[NDArray[np.int64], list[Any]]:
        """Each cell's place (n,) among the distinct values in their order, and these values.

        Words are sorted as text, or stand as `order` has them; numbers by size, exactly, so that whole
        numbers beyond 2^53 stay apart.
        """
        if self.cells.dtype != object and not words:
            found, place = np.unique(self.cells, return_inverse=True)
            return place.astype(np.int64), found.tolist()
        means: dict[Any, Any] = {cell: str(cell) if words else _number(cell) for cell in set(self.cells)}
        distinct = set(means.values())
        known = [word for word in self.order or () if word in distinct] if words else []
        values: list[Any] = known + sorted(distinct.difference(known))
        number = {value: n for n, value in enumerate(values)}
        return np.array([number[means[cell]] for cell in self.cells], dtype=np.int64), values


def read_column(
    cells: NDArray[Any], *, as_words: bool = False, comma: bool = False, order: Iterable[Any] | None = None
) -> Column:
    """What the cells (n,) of a column mean.

    A number is a finite decimal such as -1.5e3, with a `comma` also -1,5e3; underscores, other scripts'
    digits, inf and hexadecimal numbers are not. A text of MISSING is no value, and one of NO_NUMBER is none
    where all others are numbers; `as_words` takes every text but the empty one for a word.
    """
    ordered = None if order is None else tuple(str(word) for word in order)
    if isinstance(cells, np.ma.MaskedArray):
        gone, cells = np.ma.getmaskarray(cells), cells.data.astype(object)
        cells[gone] = None
    cells = narrowed(cells)
    if cells.dtype.kind not in "biuf" and not as_words:
        quick = _quick(cells.tolist(), comma)
        cells = cells if quick is None else quick
    if cells.dtype.kind in "biuf":
        whole = cells.astype(np.int64) if cells.dtype == bool else cells
        return Column(whole, np.isnan(cells), np.isfinite(cells), ordered)
    literal = as_words or ordered is not None  # a category marks what is missing by itself
    plain = [_plain(cell, literal, comma) for cell in cells.tolist()]
    is_number = {cell: not as_words and _number(cell) is not None for cell in set(plain)}
    if any(is_number.values()) and not literal:
        odd = {cell for cell, number in is_number.items() if not number and cell is not None}
        if odd and all(isinstance(cell, str) and cell.casefold() in NO_NUMBER for cell in odd):
            plain = [None if cell in odd else cell for cell in plain]
            is_number[None] = False
    objects = np.empty(len(plain), dtype=object)
    objects[:] = plain
    missing = np.array([cell is None for cell in plain], dtype=bool)
    return Column(objects, missing, np.array([is_number[cell] for cell in plain], dtype=bool), ordered)


def _quick(cells: list[Any], comma: bool) -> NDArray[Any] | None:
    """The numbers of a column of texts that are all plain decimals; None for any other column."""
    try:
        text = "\n".join(cells)
    except TypeError:  # not all are texts
        return None
    if comma and "." not in text:
        text = text.replace(",", ".")
    if not PLAIN.fullmatch(text):
        return None
    parts = text.split("\n")
    if len(parts) != len(cells):  # a cell with a line end
        return None
    try:
        if not set(".eE") & set(text):
            return np.array(list(map(int, parts)), dtype=np.int64)
        numbers = np.array(list(map(float, parts)))
    except (ValueError, OverflowError):
        return None
    return numbers if len(numbers) and float(np.abs(numbers).max()) < EXACT else None


def narrowed(cells: NDArray[Any]) -> NDArray[Any]:
    """Floats of more than 64 bits as float64, in which they may become infinite; other cells as they are."""
    if cells.dtype.kind != "f" or cells.dtype.itemsize <= 8:
        return cells
    with np.errstate(over="ignore"):
        return cells.astype(np.float64)


def are_whole(numbers: NDArray[Any]) -> bool:
    """Whether all numbers are finite and whole."""
    return bool((np.isfinite(numbers) & (numbers == np.floor(numbers))).all())


def shown(cell: Any) -> str:
    """A cell as a message shows it."""
    text = str(cell)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _plain(cell: Any, as_words: bool, comma: bool) -> Any:
    """A cell as a stripped text, a number, or None where it has no value."""
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", errors="backslashreplace")
    if isinstance(cell, str):
        cell = cell.strip().replace("\N{MINUS SIGN}", "-")
        if cell == "" or (not as_words and cell in MISSING):
            return None
        if comma and not as_words and DECIMAL_COMMA.fullmatch(cell):
            return cell.replace(".", "").replace(",", ".")
        return cell
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(cell, np.generic) or (hasattr(cell, "item") and getattr(cell, "shape", None) == ()):
        cell = cell.item()
    if isinstance(cell, int):
        return int(cell)
    if isinstance(cell, numbers.Real):
        return None if math.isnan(cell) else float(cell)
    if isinstance(cell, complex | list | dict | set | np.ndarray) or hasattr(cell, "__array__"):
        raise BadInput(f"a cell holds {shown(repr(cell))}, and must hold a number or a word")
    return str(cell)


def _number(cell: Any) -> Number | None:
    """The finite number that a plain cell is, or None. Whole numbers stay exact."""
    if not isinstance(cell, str):
        fine = cell is not None and (isinstance(cell, int) or math.isfinite(cell))
        return cell if fine else None
    if not DECIMAL.fullmatch(cell):
        return None
    if cell.lstrip("+-").isdigit() and len(cell) < MOST_DIGITS:
        return int(cell)
    value = float(cell)
    return value if math.isfinite(value) else None
