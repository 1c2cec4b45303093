"""`distaff experiment`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from distaff import registry
from distaff.cli.options import Json, Known, Together, tell
from distaff.cli.study import cost_in_words
from distaff.errors import BadInput
from distaff.progress import say


def experiment(
    name: Annotated[str, Argument(help="An experiment, or all; see `distaff list experiments`.")],
    scale: Annotated[str, Option(help="quick, nano, small or paper.")] = "nano",
    out: Annotated[Path | None, Option(help="Folder [default: experiments/NAME-SCALE].")] = None,
    workers: Annotated[int | None, Option(help="Processes of one thread each [default: the cores].")] = None,
    ray: Annotated[
        str | None, Option(metavar="ADDRESS", help="Run on the Ray cluster at this address, or auto.")
    ] = None,
    retry: Annotated[bool, Option("--retry", help="Try failed runs again.")] = False,
    known: Known = None,
    together: Together = None,
    dry: Annotated[bool, Option("--dry-run", help="Say what its runs would take, and stop.")] = False,
    threads: Annotated[int | None, Option(help="CPU threads of judging [default: all].")] = None,
    as_json: Json = False,
) -> None:
    """Run a paper's claim and judge it.

    The same command again continues where it stopped. With all, two run at a time, each with half of the
    workers, and what has finished is not run again. A claim that fails is a result: the exit status is 0.
    """
    if name != "all":
        registry.check("experiments", name)
    for option, count in (("--workers", workers), ("--threads", threads), ("--together", together)):
        if count is not None and count < 1:
            raise BadInput(f"{option} {count} is not allowed; it must be at least 1")
    from distaff.experiments.claims import overview
    from distaff.experiments.conduct import RunsFailed, conduct, dry_run
    from distaff.experiments.every import conduct_all

    if dry:
        names = registry.names("experiments") if name == "all" else [name]
        costs = [dry_run(each, scale, workers, together) for each in names]
        told = (cost_in_words(each) if each["runs"] else "no runs to train" for each in costs)
        text = "\n".join(f"{each['study']}: {words}" for each, words in zip(costs, told, strict=True))
        tell(text, costs if name == "all" else costs[0], as_json)
        return
    how: dict[str, Any] = {"workers": workers, "ray": ray, "retry": retry, "known": known, "threads": threads}
    how["together"] = together
    try:
        if name == "all":
            found = conduct_all(scale, out or Path("experiments"), **how)
            tell(overview(found), found, as_json)
            return
        folder = out or Path("experiments") / f"{name}-{scale}"
        one = conduct(name, scale, folder, **how)
    except RunsFailed as error:
        say(f"distaff: {error}")
        raise typer.Exit(1) from None
    tell(f"{overview([one])}\n{folder / 'report.html'}", one, as_json)
