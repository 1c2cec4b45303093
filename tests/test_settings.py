"""Settings: what is accepted, what is refused, and how it is said."""

import dataclasses

import pytest

from distaff.errors import BadInput
from distaff.settings import Settings, build, describe, parse_pairs, setting


@dataclasses.dataclass(frozen=True)
class Example(Settings):
    count: int = setting(3, "how many", low=1, high=9)
    rate: float = setting(0.5, "how fast", above=0)
    kind: str = setting("a", "which", choices=("a", "b"))
    deep: bool = setting(False, "whether")


def test_values_are_converted_to_their_kind() -> None:
    made = build(Example, {"count": 4.0, "rate": 2}, "example")
    assert (made.count, type(made.count), made.rate, type(made.rate)) == (4, int, 2.0, float)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": 0}, "count=0 is out of range; it must be at least 1 and at most 9"),
        ({"count": 2.5}, "count=2.5 is not allowed; it must be a whole number"),
        ({"count": True}, "count=True is not allowed"),
        ({"rate": 0}, "rate=0.0 is out of range; it must be more than 0"),
        ({"rate": float("nan")}, "rate=nan is not allowed"),
        ({"rate": "x"}, "rate='x' is not allowed; it must be a number"),
        ({"rate": [1]}, "is not allowed"),
        ({"kind": "c"}, "kind='c' is not allowed; it must be one of: a, b"),
        ({"deep": 1}, "deep=1 is not allowed; it must be true or false"),
        ({"cuont": 1}, "unknown setting of example 'cuont'; did you mean 'count'?"),
    ],
)
def test_what_is_refused(given: dict, message: str) -> None:
    with pytest.raises(BadInput) as error:
        build(Example, given, "example")
    assert message in str(error.value)


def test_pairs_of_the_command_line() -> None:
    assert parse_pairs(["a=1", "b=x", "c=1e-3", "d=true", "e=[1,2]", "f=a=b"]) == {
        "a": 1, "b": "x", "c": 1e-3, "d": True, "e": [1, 2], "f": "a=b",
    }  # fmt: skip
    assert parse_pairs(["a=.5", "b=5.", "c=+1", "d=-.5E-3", "e=True", "f=None", "g=1.2.3", "h=e5"]) == {
        "a": 0.5, "b": 5.0, "c": 1, "d": -0.5e-3, "e": True, "f": None, "g": "1.2.3", "h": "e5",
    }  # fmt: skip
    assert parse_pairs(None) == {}
    for wrong in ("beta", "=4"):
        with pytest.raises(BadInput, match="KEY=VALUE"):
            parse_pairs([wrong])
    with pytest.raises(BadInput, match="twice"):
        parse_pairs(["a=1", "a=2"])


def test_description() -> None:
    assert describe(Example)[0] == ("count", 3, "at least 1 and at most 9", "how many")
