"""`distaff experiment`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from distaff import registry
from distaff.cli.options import Json, tell


def experiment(
    name: Annotated[str, Argument(help="An experiment, or all; see `distaff list experiments`.")],
    scale: Annotated[str, Option(help="quick, nano or paper.")] = "nano",
    out: Annotated[Path | None, Option(help="Folder [default: experiments/NAME-SCALE].")] = None,
    threads: Annotated[int | None, Option(help="CPU threads [default: all].")] = None,
    as_json: Json = False,
) -> None:
    """Run a paper's claim and judge it.

    The same command again continues where it stopped; with all, what has finished is not run again. A claim
    that fails is a result: the exit status is 0.
    """
    if name != "all":
        registry.check("experiments", name)
    from distaff.experiments.conduct import conduct, conduct_all, overview

    if name == "all":
        found = conduct_all(scale, out or Path("experiments"), threads=threads)
        tell(overview(found), found, as_json)
        return
    folder = out or Path("experiments") / f"{name}-{scale}"
    one = conduct(name, scale, folder, threads=threads)
    tell(f"{overview([one])}\n{folder / 'report.html'}", one, as_json)
