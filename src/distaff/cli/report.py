"""`distaff report`."""

from __future__ import annotations

from distaff.cli.options import DataDir, RunFolder


def report(run: RunFolder, data_dir: DataDir = None) -> None:
    """Write a run's report.html.

    One file: scores, traversals, reconstructions, what each latent knows, curves, settings.
    """
    from distaff.pages.report import report as write_report
    from distaff.training.run import load_run

    print(write_report(load_run(run, data_dir=data_dir)))
