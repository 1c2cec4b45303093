"""Settings: dataclass fields that carry their allowed values and their help text.

Methods and data sets are frozen dataclasses of such fields. One checker validates them all, the command line
turns KEY=VALUE into them, and the docs are written from them.
"""

import contextlib
import dataclasses
import json
import math
import operator
import os
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, TypeVar

from distaff import schedules
from distaff.errors import BadInput, unknown

T = TypeVar("T")
PYTHON_WORDS = {"True": True, "False": False, "None": None}
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
BOUNDS = {
    "low": ("at least", operator.ge),
    "above": ("more than", operator.gt),
    "high": ("at most", operator.le),
}


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] | None = None,
    only_with: str = "",
    later: bool = False,
    run: tuple[str, ...] = (),
    needed: bool = False,
) -> Any:
    """A dataclass field with `low` <= value, value > `above`, value <= `high`, or one of `choices`.

    `only_with` another setting ("sparsity": not "none"; "sparsity=kl": of this value) it has an
    effect, and may differ from its default. `later`: it was added after runs were recorded, and has no part
    in the ids of runs in which it has its default. `run`: it names a finished run of one of these methods, or
    "none", which is an error in training where it is `needed`.
    """
    allowed = {"help": help, "low": low, "above": above, "high": high, "choices": choices}
    allowed |= {"only_with": only_with, "later": later, "run": run, "needed": needed}
    return dataclasses.field(default=default, metadata=allowed)


class Settings:
    """A base for frozen dataclasses whose fields are checked when an instance is made."""

    #: whether the real numbers among them may be schedules
    scheduled: ClassVar[bool] = False

    def __post_init__(self) -> None:
        types, fields = typing.get_type_hints(type(self)), dataclasses.fields(typing.cast(Any, self))
        for field in fields:
            value, kind = getattr(self, field.name), types[field.name]
            if self.scheduled and kind is float and isinstance(value, str):
                value = _checked_schedule(field, value)
            else:
                value = _checked(field, kind, value)
            object.__setattr__(self, field.name, value)
        for field in fields:  # an error where a setting is given that has no effect beside the others
            value, only_with = getattr(self, field.name), field.metadata.get("only_with", "")
            needed, _, wanted = only_with.partition("=")
            if needed and value != field.default:
                other = getattr(self, needed)
                if other != wanted if wanted else other == "none":
                    raise BadInput(f"{field.name}={value} has no effect without {only_with}")


def identifying(made: Any) -> dict[str, Any]:
    """The settings that tell apart what is made with them: all, but later ones that have their default."""
    values = {field: getattr(made, field.name) for field in dataclasses.fields(made)}
    return {f.name: v for f, v in values.items() if not (f.metadata.get("later") and v == f.default)}


class RunSetting(NamedTuple):
    """A setting that names a finished run: of which methods it may be, and whether there must be one."""

    name: str
    methods: tuple[str, ...]
    needed: bool


def run_settings(cls: Any) -> list[RunSetting]:
    """The settings of a method, or of its class, that name a finished run."""
    rules = [(field.name, field.metadata) for field in dataclasses.fields(cls)]
    return [RunSetting(name, kept["run"], kept["needed"]) for name, kept in rules if kept.get("run")]


def build(cls: type[T], given: Mapping[str, Any], what: str) -> T:
    """`cls(**given)`, where a name that does not exist is an error that shows the nearest."""
    allowed = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
    for name in given:
        if name not in allowed:
            raise unknown(f"setting of {what}", name, allowed)
    return cls(**given)


def _checked(field: dataclasses.Field[Any], kind: Any, value: Any) -> Any:
    rules = field.metadata
    if rules.get("choices") is not None:
        for choice in rules["choices"]:
            if not isinstance(value, bool) and value == choice:
                return choice
        raise BadInput(f"{field.name}={value!r} is not allowed; it must be {allowed_values(field)}")
    if kind in (int, float):
        value = _number(field.name, kind, value)
        if not all(within(value, bound) for _, within, bound in _bounds(rules)):
            raise BadInput(f"{field.name}={value} is out of range; it must be {allowed_values(field)}")
    elif rules.get("run") and isinstance(value, os.PathLike):
        value = os.fspath(value)
    elif kind in (bool, str) and not isinstance(value, kind):
        word = "true or false" if kind is bool else "text"
        raise BadInput(f"{field.name}={value!r} is not allowed; it must be {word}")
    return value


def _checked_schedule(field: dataclasses.Field[Any], text: str) -> float | str:
    """The schedule's text, or its value where that never changes."""
    try:
        schedule = schedules.parse(text)
    except BadInput as error:
        raise BadInput(f"{field.name}={text!r} is not allowed; {error}") from None
    for end in (schedule.first, schedule.last):
        _checked(field, float, end)
    return schedule.first if schedule.first == schedule.last else text


def _bounds(rules: Mapping[str, Any]) -> list[tuple[str, Callable[..., bool], float]]:
    """What bounds a number: in words, as a comparison, and the bound itself."""
    return [(*BOUNDS[rule], rules[rule]) for rule in BOUNDS if rules.get(rule) is not None]


def _number(name: str, kind: type, value: Any) -> int | float:
    word = "a whole number" if kind is int else "a number"
    try:
        if isinstance(value, bool | str) or not math.isfinite(value):
            raise TypeError
        if kind is int and value != int(value):
            raise TypeError
    except (TypeError, OverflowError):
        raise BadInput(f"{name}={value!r} is not allowed; it must be {word}") from None
    return kind(value)


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as an int from `low` to `high`, or an error that names the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= (2**63 - 1 if high is None else high):
        allowed = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise BadInput(f"{name}={value!r} is not allowed; it must be a whole number {allowed}")
    return number


def allowed_values(field: dataclasses.Field[Any]) -> str:
    """What a field allows, in words: "at least 0", "one of: conv, fc"."""
    rules = field.metadata
    if rules.get("choices") is not None:
        return "one of: " + ", ".join(map(str, rules["choices"]))
    if rules.get("run"):
        return f"the folder of a finished run of {' or '.join(rules['run'])}" + (
            "" if rules["needed"] else ", or none"
        )
    return " and ".join(f"{words} {bound}" for words, _, bound in _bounds(rules)) or "any value"


class Described(NamedTuple):
    """A row of help about one setting."""

    name: str
    default: Any
    allowed: str
    help: str


def describe(cls: type) -> list[Described]:
    """One row per setting of a method or data set, its own before inherited ones, for help texts and docs."""
    types = typing.get_type_hints(cls)
    or_schedule = ", or a schedule" if issubclass(cls, Settings) and cls.scheduled else ""
    return [
        Described(
            f.name,
            f.default,
            allowed_values(f) + (or_schedule if types[f.name] is float else ""),
            f.metadata["help"],
        )
        for f in sorted(dataclasses.fields(typing.cast(Any, cls)), key=lambda f: _generation(cls, f.name))
        if "help" in f.metadata
    ]


def _generation(cls: type, name: str) -> int:
    """How many classes above `cls` a setting was first written down."""
    return max(age for age, each in enumerate(cls.__mro__) if name in vars(each).get("__annotations__", {}))


def parse_pairs(pairs: list[str] | None) -> dict[str, Any]:
    """Turn ["beta=4", "network=fc"] into {"beta": 4, "network": "fc"}."""
    parsed: dict[str, Any] = {}
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise BadInput(f"'{pair}' is not KEY=VALUE")
        if key in parsed:
            raise BadInput(f"'{key}' is given twice")
        parsed[key] = _parsed(text)
    return parsed


def _parsed(text: str) -> Any:
    """JSON, and numbers and words as Python writes them besides; else text."""
    with contextlib.suppress(ValueError):
        return json.loads(text)
    if text in PYTHON_WORDS:
        return PYTHON_WORDS[text]
    return float(text) if DECIMAL.fullmatch(text) else text
