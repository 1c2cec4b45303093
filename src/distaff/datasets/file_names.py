"""Names of files in a list of labels, matched with those in a folder though they be written otherwise."""

import difflib
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from distaff.datasets.pictures import SUFFIXES

#: of files that people list but that are not read as pictures
OTHER_SUFFIXES = (".heic", ".heif", ".avif", ".jp2", ".ppm", ".pgm", ".npy")
LETTERS = "in its letters"
MOST_COMPARED = 2000  # names, letter by letter


class Matched(NamedTuple):
    """The place in a list of each file that it names, in the order of the files; and by which way, from 0."""

    place: dict[str, int]
    way: int


def matched(listed: Sequence[str], files: Sequence[str]) -> Matched:
    """Which of the files a list names.

    As they are written, or else whatever their case, slashes and composition; then without folders in front
    of the folder, without all in front, without the ending, without both, and at last by their numbers, so
    that 1 and 1.0 are 001.png: the first way by which the most files are named, each once, and by which no
    two files are alike.
    """
    best = Matched({}, 0)
    for way, alike in enumerate([*_WAYS[:2], _last(1 + min(name.count("/") for name in files)), *_WAYS[2:]]):
        found = Matched(_matched(listed, files, alike), way)
        if len(found.place) == len(files):
            return found
        best = max(best, found, key=lambda each: len(each.place))  # the first of equals
    return best


def _matched(listed: Sequence[str], files: Sequence[str], alike: Callable[[str], str]) -> dict[str, int]:
    ours, theirs = [alike(name) for name in files], [alike(name) for name in listed]
    count, known = Counter(theirs), set(ours)
    if len(known) < len(ours) or any(count[name] > 1 for name in known):
        return {}
    place = {name: number for number, name in enumerate(theirs)}
    return {file: place[name] for file, name in zip(files, ours, strict=True) if name in place}


def are_pictures(names: Sequence[str]) -> bool:
    """Whether most of some names have the ending of a picture."""
    return 2 * sum(_without_ending(name) != name for name in names) > len(names)


def nearest(name: str, names: Sequence[str]) -> tuple[str, str] | None:
    """The one of `names` that is probably meant by `name`, and in what they differ."""
    for alike in _WAYS[1:]:
        found = {alike(other): other for other in reversed(names)}
        other = found.get(alike(name))
        if other is not None:
            return other, differing(name, other)
    close = difflib.get_close_matches(name, names[:MOST_COMPARED], n=1)
    return (close[0], LETTERS) if close else None


def differing(name: str, other: str) -> str:
    """In what two names differ, in words."""
    differences = _differences(name, other)
    return "in " + " and ".join(differences) if differences else LETTERS


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _alike(name: str, ending: bool, folders: bool) -> str:
    """A name whatever its case and slashes, with or without its ending and the folders in front."""
    name = _composed(_composed(_slashed(name)).casefold()).removeprefix("./")
    name = name if folders else name.rpartition("/")[2]
    return name if ending else _without_ending(name)


def _last(parts: int) -> Callable[[str], str]:
    """The last parts of a path: as many as all files of the folder have, where a list has more in front."""
    return lambda name: "/".join(_alike(name, ending=True, folders=True).split("/")[-parts:])


def _number(name: str) -> str:
    """A name that is a whole number without its zeros, as spreadsheets write it; others as they are."""
    bare = _alike(name, ending=False, folders=False)
    whole = re.fullmatch(r"0*(\d+?)(?:\.0)?", bare, re.ASCII)
    return whole[1] if whole else bare


def _way(ending: bool, folders: bool) -> Callable[[str], str]:
    return lambda name: _alike(name, ending, folders)


#: as it is written, or less and less so: see `matched`
_WAYS: list[Callable[[str], str]] = [
    str,
    *(_way(ending, folders) for ending, folders in itertools.product((True, False), repeat=2)),
    _number,
]


def _without_ending(name: str) -> str:
    ending = PurePosixPath(name).suffix
    return name.removesuffix(ending) if ending.casefold() in (*SUFFIXES, *OTHER_SUFFIXES) else name


def _differences(name: str, other: str) -> list[str]:
    """In what two names differ, but for the letters of the file's name itself."""
    first, second = _slashed(name), _slashed(other)
    found = ["its slashes"] * ((first != name) != (second != other))
    if _composed(first).casefold() == _composed(second).casefold():
        return found + _form(first, second)
    (front, _, first), (other_front, _, second) = first.rpartition("/"), second.rpartition("/")
    found += ["the folders in front"] * (front.casefold() != other_front.casefold())
    bare, other_bare = _without_ending(first), _without_ending(second)
    if first.removeprefix(bare).casefold() != second.removeprefix(other_bare).casefold():
        return [*found, "its ending", *_form(bare, other_bare)]
    return found + _form(first, second)


def _form(first: str, second: str) -> list[str]:
    """Whether two names differ in how their characters are composed, and in case."""
    composed, other = _composed(first), _composed(second)
    unlike = first != second and (composed != first) != (other != second)
    return ["its Unicode form"] * unlike + ["upper and lower case"] * (composed != other)
