"""`distaff report`."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from distaff.cli.options import DataDir


def report(
    runs: Annotated[list[Path], Argument(metavar="RUN ...", help="A run folder, or several to compare.")],
    out: Annotated[
        Path | None,
        Option(metavar="FILE", help="Where to [RUN/report.html; comparison.html of several]."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a run's report.html, or a page that compares several runs.

    One file: in short; scores, traversals, reconstructions, what each latent knows, curves, settings.
    """
    from distaff.pages.report import report as write_report
    from distaff.training.run import load_run

    print(write_report(*(load_run(run, data_dir=data_dir) for run in runs), out=out))
