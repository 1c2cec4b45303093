"""`distaff explore`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from distaff.cli.options import DataDir, RunFolder

Out = Annotated[Path | None, Option(metavar="FILE", help="The file to write [default: RUN/explorer.html].")]


def explore(run: RunFolder, out: Out = None, data_dir: DataDir = None) -> None:
    """Write a run's explorer.html, in which its decoder runs.

    One file, which needs no server: sliders, a map of images, grids and walks, decoded as one moves.
    """
    from distaff.pages.explorer.explore import explore as write_explorer
    from distaff.training.run import load_run

    print(write_explorer(load_run(run, data_dir=data_dir), out))
