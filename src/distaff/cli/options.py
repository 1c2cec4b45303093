"""Options that several verbs take, what is made of their values, and how a verb prints what it found."""

import csv
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option
from typer.core import TyperCommand

from distaff.errors import BadInput
from distaff.settings import parse_pairs

Names = list[str] | None
Json = Annotated[bool, Option("--json", help="Print one JSON value and nothing else on stdout.")]
Data = Annotated[Names, Option(metavar="KEY=VALUE", help="A setting of the data set; may be repeated.")]
DataDir = Annotated[
    Path | None, Option(help="Folder with original files and caches [default: DISTAFF_DATA].")
]
Known = Annotated[
    Path | None,
    Option(metavar="TABLE", help="A results.parquet: runs whose scores it holds are not trained again."),
]
Together = Annotated[
    int | None,
    Option(
        metavar="N",
        help="Train up to N runs as one that differ in seeds and numbers alone [default: on a GPU as many as "
        "it holds, on a CPU 1].",
    ),
]
RunFolder = Annotated[Path, Argument(metavar="RUN", help="A run folder.")]
Metrics = Annotated[Names, Option(help="A metric; may be repeated [default: all but the slow ones].")]
All = Annotated[bool, Option("--all", help="Every metric, the slow ones too.")]
Protocol = Annotated[str | None, Option(help="A published protocol: locatello2019.")]
ValuesOnly = Annotated[bool, Option("--values-only", help="No intervals, chance or ceiling.")]
Seed = Annotated[int, Option(help="Seed of all that is random.")]
Continuous = Annotated[
    str | None,
    Option(metavar="[A,B,...]", help="Factors that are real numbers, for the metrics that allow them [all]."),
]
Order = Annotated[
    Names, Option(metavar="NAME=A,B,...", help="The order of a factor's words; may be repeated.")
]
Blocks = Annotated[
    str | None,
    Option(
        metavar="A-B,C+D,...",
        help="Blocks of codes, scored in place of single ones: ranges of numbers, columns joined by +.",
    ),
]
BlocksOfRun = Annotated[
    str | None,
    Option(
        metavar="A-B,C+D,...",
        help="Blocks of codes, scored in place of single ones: ranges of numbers, columns joined by +; or "
        "own, those of the run's method.",
    ),
]
Groups = Annotated[
    str | None,
    Option(metavar="A-B,C+D,...", help="With --blocks: groups of factors that one block should hold [each]."),
]
Units = Annotated[
    str | None,
    Option(
        metavar="COLUMN",
        help="Of which episode or donor a row is: units are held out whole, and intervals are over them.",
    ),
]
EVERY = "all factors"  # what --continuous without names stands for


class WithNames(TyperCommand):
    """A command whose --continuous may stand alone, or before names; a file or a folder is none."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give --continuous a value where it stands alone."""
        given = list(args)
        for place, word in enumerate(args):
            after = args[place + 1] if place + 1 < len(args) else "-"
            names = not after.startswith("-") and not os.path.exists(after) and not Path(after).suffix
            if word == "--continuous" and not names:
                given[place] = f"--continuous={EVERY}"
        try:
            return super().parse_args(ctx, given)
        except Exception as error:
            if hasattr(error, "format_message"):  # wrong usage by a file too many: a name that looks like one
                with suppress(Exception):
                    return super().parse_args(ctx, args)
            raise


def listed(names: str | None) -> list[str] | None:
    """The names in A,B,...; one with a comma stands in double quotes."""
    if names is None:
        return None
    found = next(csv.reader([names], skipinitialspace=True), None) or [""]
    return [name.strip() for name in found]


def metrics_of(metric: list[str] | None, all_: bool) -> list[str] | str | None:
    """The metrics of --metric, "all" of --all, or None."""
    if metric and all_:
        raise BadInput("give --metric or --all, not both")
    return "all" if all_ else metric or None


def orders_of(given: list[str] | None) -> dict[str, list[str]]:
    """The words of each factor in their order, from --order NAME=A,B,..."""
    found = {}
    for each in given or []:
        name, equals, words = each.partition("=")
        if not equals or not name or not words:
            raise BadInput(f"--order {each} is not allowed; it must be NAME=FIRST,SECOND,...")
        found[name] = listed(words) or []
    return found


def blocks_of(given: str | None, option: str = "--blocks") -> list[list[str]] | None:
    """The columns of each block, from --blocks 0-3,4,z5+z6: a range of numbers, a column, or several."""
    if given is None:
        return None
    return [
        [each for part in block.split("+") for each in _range(part.strip(), option)]
        for block in given.split(",")
    ]


def _range(part: str, option: str) -> list[str]:
    """The numbers from A to B of A-B; anything else is one column."""
    first, dash, last = part.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()):
        return [part] if part else []
    if int(first) > int(last):
        raise BadInput(f"{option} {part} is not allowed; a range goes up, as {last}-{first}")
    return [str(j) for j in range(int(first), int(last) + 1)]


def continuous_of(given: str | None) -> bool | list[str]:
    """All factors (True), none (False), or those that --continuous names."""
    if given is None or given == EVERY:
        return given is not None
    return listed(given) or True


def data_options(pairs: list[str] | None) -> dict[str, Any]:
    """The settings of a data set, from --data KEY=VALUE."""
    options = parse_pairs(pairs)
    if "data_dir" in options:
        raise BadInput("give the data folder as --data-dir, not in --data")
    return options


def tell(text: str, value: Any, as_json: bool) -> None:
    """Print what a verb found: as text, or with --json the value."""
    print(json.dumps(value, indent=2) if as_json else text)
