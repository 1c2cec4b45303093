"""The command line: verbs only, a file a verb or family, which imports what is heavy when it runs."""

import io
import os
import signal
import sys
from typing import Annotated

import typer
from typer import Option

from distaff import __version__, registry
from distaff.cli import concepts, dataset, evaluate, experiment, explore, listing, report, score, study, train
from distaff.cli.options import WithNames
from distaff.cli.status import explained
from distaff.interrupt import listen

app = typer.Typer(
    help="Train, measure and study disentangled representations.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(train.train)
app.command(cls=WithNames)(evaluate.evaluate)
app.command()(report.report)
app.command()(explore.explore)
app.command()(concepts.concepts)
app.command(cls=WithNames)(score.score)
app.command(name="list")(listing.list_)
app.command()(experiment.experiment)
app.add_typer(dataset.app, name="dataset")
app.add_typer(study.app, name="study")


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line and leave with its exit status: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    listen()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our signs still gets the numbers
    command = typer.main.get_command(app)
    status = 0
    try:
        registry.register_all(os.environ.get(registry.REGISTERED, ""))
        with command.make_context("distaff", sys.argv[1:] or ["--help"]) as context:
            command.invoke(context)
    except (Exception, KeyboardInterrupt) as error:
        status, message = explained(error)
        if message:
            print(f"distaff: {message}", file=sys.stderr)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # all is done and said; only the exit is left
    sys.exit(status)
