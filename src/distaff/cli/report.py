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
    animate: Annotated[
        bool, Option("--animate", help="Also write RUN/traversals.gif, a film of the latents for slides.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write a run's report.html, or a page that compares several runs.

    One file: in short; scores, traversals, reconstructions, what each latent knows, curves, settings.
    """
    from distaff.pages.report import report as write_report
    from distaff.training.run import load_run

    loaded = [load_run(run, data_dir=data_dir) for run in runs]
    print(write_report(*loaded, out=out))
    if animate:
        from distaff.pages.animation import animate as write_film

        for each in loaded:
            print(write_film(each))
