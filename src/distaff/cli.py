"""The command line: verbs only. Each imports what it needs when it runs, so --help is quick."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperCommand

from distaff import __version__, registry
from distaff.cli_experiment import experiment
from distaff.cli_study import study_app
from distaff.errors import BadInput, Diverged
from distaff.interrupt import listen
from distaff.settings import Settings, build, describe, parse_pairs

app = typer.Typer(
    help="Train, measure and study disentangled representations.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
dataset_app = typer.Typer(help="Look at data sets.", rich_markup_mode=None)
app.add_typer(dataset_app, name="dataset")
app.add_typer(study_app, name="study")

LIST = "A,B,..."  # a list on the command line
Names = list[str] | None
Json = Annotated[bool, Option("--json", help="Print one JSON value and nothing else on stdout.")]
Data = Annotated[Names, Option(metavar="KEY=VALUE", help="A setting of the data set; may be repeated.")]
DataDir = Annotated[
    Path | None, Option(help="Folder with original files and caches [default: DISTAFF_DATA].")
]
RunFolder = Annotated[Path, Argument(metavar="RUN", help="A run folder.")]
Metrics = Annotated[Names, Option(help="A metric; may be repeated [default: all but the slow ones].")]
All = Annotated[bool, Option("--all", help="Every metric, the slow ones too.")]
Protocol = Annotated[str | None, Option(help="A published protocol: locatello2019.")]
ValuesOnly = Annotated[bool, Option("--values-only", help="No intervals, chance or ceiling.")]
SeedOption = Annotated[int, Option(help="Seed of all that is random.")]
ContinuousOption = Annotated[
    str | None,
    Option(metavar="[A,B,...]", help="Factors that are real numbers, for the metrics that allow them [all]."),
]
OrderOption = Annotated[
    Names, Option(metavar="NAME=A,B,...", help="The order of a factor's words; may be repeated.")
]
WordsOption = Annotated[
    str | None,
    Option(metavar=LIST, help="Factors that hold words, even where these look like numbers or NA."),
]
FactorsFile = Annotated[
    Path | None,
    Argument(
        metavar="FACTORS", help="The same rows; may be CODES again. Without it: the scores that need none."
    ),
]
TABLES = ".npy .npz .csv .tsv .txt (.gz) .parquet .xlsx .mat .h5 .h5ad"
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
        return super().parse_args(ctx, given)


@app.command()
def train(
    method: Annotated[str, Argument(help="A method; see `distaff list methods`.")],
    dataset: Annotated[str, Option(help="A data set's name, an .npz file or a folder of images.")],
    set_: Annotated[
        Names, Option("--set", metavar="KEY=VALUE", help="A setting of the method; may be repeated.")
    ] = None,
    data: Data = None,
    steps: Annotated[int, Option(help="Training steps; more than before extends the run.")] = 20_000,
    seed: SeedOption = 0,
    threads: Annotated[int | None, Option(help="CPU threads [default: all].")] = None,
    device: Annotated[str, Option(help="auto, cpu, cuda or mps.")] = "auto",
    out: Annotated[Path | None, Option(help="Run folder [default: runs/METHOD-DATASET-sSEED].")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train a method on a data set.

    The same command again continues where it stopped, or says that it is finished.
    """
    settings, options = parse_pairs(set_), _data_options(data)
    registry.check("methods", method)
    from distaff.datasets import load_dataset
    from distaff.training.train import train as run_training

    made = build(registry.get("methods", method), settings, method)
    loaded = load_dataset(dataset, data_dir=data_dir, **options)
    run = run_training(made, loaded, steps=steps, seed=seed, out=out, threads=threads, device=device)
    last = run.history()[-1] if run.history() else {}
    text = f"{run.folder}: {run.effort}" + "".join(
        f", {name} {value:.2f}" for name, value in last.items() if name not in ("step", "images_per_second")
    )
    _print(f"{text}\nNext: distaff evaluate {run.folder}", {"run": str(run.folder), **last}, as_json)


@app.command(cls=WithNames)
def evaluate(
    run: RunFolder,
    representation: Annotated[str, Option(help="mean or sampled.")] = "mean",
    rows: Annotated[
        str | None, Option(help="How many images, or all [default: 100000; with --likelihood 1000].")
    ] = None,
    metric: Metrics = None,
    all_: All = False,
    protocol: Protocol = None,
    continuous: ContinuousOption = None,
    order: OrderOption = None,
    seed: SeedOption = 0,
    values_only: ValuesOnly = False,
    desiderata: Annotated[
        bool,
        Option("--desiderata", help="Instead: labels needed, clusters, interpolation, sparsity, 2-D views."),
    ] = False,
    label: Annotated[
        str | None, Option(help="With --desiderata: the label whose values are the classes [first].")
    ] = None,
    likelihood: Annotated[
        bool, Option("--likelihood", help="Instead, of a VAE: ELBO and the bound of 100 samples, nats.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Score a run.

    Encodes its images once; the card is printed and kept in the run folder.
    """
    scoring = metric or all_ or protocol or values_only or continuous or order or representation != "mean"
    if desiderata:
        if scoring or rows or likelihood:
            raise BadInput("--desiderata takes --label and --seed alone; score the run in another call")
        _desiderata(run, label, seed, data_dir, as_json)
        return
    if label is not None:
        raise BadInput("--label has no effect without --desiderata")
    if likelihood:
        if scoring:
            raise BadInput("--likelihood takes --rows and --seed alone; score the run in another call")
        _likelihood(run, _rows(rows or "1000"), seed, data_dir, as_json)
        return
    from distaff.evaluation.evaluate import evaluate as run_evaluation
    from distaff.training.run import load_run

    loaded = load_run(run, data_dir=data_dir)
    card = run_evaluation(
        loaded,
        representation=representation,
        rows=_rows(rows or "100000"),
        metrics=_metrics(metric, all_),
        protocol=protocol,
        continuous=_continuous(continuous),
        order=_orders(order),
        seed=seed,
        values_only=values_only,
    )
    _print(f"{card}\nNext: distaff report {run}", card.to_dict(), as_json)
    _tell_failures(card.failed)


def _desiderata(run: Path, label: str | None, seed: int, data_dir: Path | None, as_json: bool) -> None:
    from distaff.evaluation.desiderata import Line, desiderata, lines
    from distaff.training.run import load_run

    found = desiderata(load_run(run, data_dir=data_dir), label=label, seed=seed)
    head = Line("", "codes", "pixels' plane", "")
    rows = [f"{row.name:<30}{row.value:>8}{row.plane:>15}  {row.meaning}" for row in (head, *lines(found))]
    text = "\n".join(row.rstrip() for row in rows)
    _print(f"{text}\nNext: distaff report {run}", found, as_json)


def _likelihood(run: Path, images: int | None, seed: int, data_dir: Path | None, as_json: bool) -> None:
    from distaff.evaluation.posterior import likelihood
    from distaff.training.run import load_run

    found = likelihood(load_run(run, data_dir=data_dir), images=images, seed=seed)
    text = (
        f"ELBO               {found['elbo']:.2f} nats per image, {found['images']:,} images\n"
        f"bound, {found['samples']} samples {found['bound']:.2f} nats per image; log p(x) is at least that"
    )
    _print(text, found, as_json)


@app.command()
def report(run: RunFolder, data_dir: DataDir = None) -> None:
    """Write a run's report.html.

    One file: scores, traversals, reconstructions, what each latent knows, curves, settings.
    """
    from distaff.reporting.report import report as write_report
    from distaff.training.run import load_run

    print(write_report(load_run(run, data_dir=data_dir)))


@app.command(cls=WithNames)
def score(
    codes: Annotated[Path, Argument(metavar="CODES", help=f"A row per image: {TABLES}")],
    factors: FactorsFile = None,
    code_columns: Annotated[
        str | None, Option(metavar=LIST, help="Columns of CODES, arrays of a file, obsm/KEY [default: all].")
    ] = None,
    factor_columns: Annotated[
        str | None, Option(metavar=LIST, help="Columns of FACTORS (or of CODES), arrays, obs/COLUMN.")
    ] = None,
    continuous: ContinuousOption = None,
    words: WordsOption = None,
    order: OrderOption = None,
    missing: Annotated[str, Option(help="error, or drop the rows in which a value is missing.")] = "error",
    logvar: Annotated[
        Path | None, Option(help="Log-variances of the codes: adds mig_exact. CODES again: its array logvar.")
    ] = None,
    logvar_columns: Annotated[
        str | None, Option(metavar=LIST, help="Columns of the file of log-variances.")
    ] = None,
    metric: Metrics = None,
    all_: All = False,
    protocol: Protocol = None,
    matrices: Annotated[
        Path | None, Option(help="Write the matrices behind the scores to this .npz file.")
    ] = None,
    seed: SeedOption = 0,
    values_only: ValuesOnly = False,
    as_json: Json = False,
) -> None:
    """Score codes from any framework against factors.

    A row of CODES and the same row of FACTORS describe one image. Factors are whole numbers, or words.
    """
    from distaff.files import write_arrays
    from distaff.progress import progress
    from distaff.scoring.score import score as score_arrays
    from distaff.scoring.score import score_matrices, wanted_metrics

    code_table, factor_table = _tables(codes, factors, _listed(code_columns), _listed(factor_columns))
    given: dict[str, Any] = {"continuous": _continuous(continuous), "missing": missing, "seed": seed}
    given |= {"words": _listed(words) or (), "order": _orders(order)}
    wanted = _metrics(metric, all_)
    having = [*(["factors"] if factor_table is not None else []), *(["logvar"] if logvar else [])]
    with progress("scoring", len(wanted_metrics(wanted, having)), show=not values_only) as report:
        card = score_arrays(
            code_table,
            factor_table,
            metrics=wanted,
            logvar=None if logvar is None else _logvar(logvar, logvar == codes, _listed(logvar_columns)),
            protocol=protocol,
            values_only=values_only,
            report=report,
            **given,
        )
    if matrices is not None:
        if factor_table is None:
            raise BadInput("--matrices needs FACTORS")
        write_arrays(matrices, score_matrices(code_table, factor_table, **given))
    _print(str(card), card.to_dict(), as_json)
    _tell_failures(card.failed)


def _tables(codes: Path, factors: Path | None, code_columns: Names, factor_columns: Names) -> tuple[Any, Any]:
    """The tables of codes and of factors, or None. FACTORS may be left out where CODES holds them too."""
    from distaff.tables import read_table

    both = codes if factors is None and (factor_columns or codes.suffix.lower() == ".h5ad") else factors
    code_table = read_table(codes, code_columns)
    if both is None:
        return code_table, None
    factor_table = read_table(both, factor_columns, role="factors")
    same = os.path.realpath(both) == os.path.realpath(codes) and factor_columns is not None
    if same and code_columns is None and set(code_table.names) > set(factor_table.names):
        code_table = code_table.pick([name for name in code_table.names if name not in factor_table.names])
    return code_table, factor_table


def _logvar(path: Path, beside: bool, columns: Names) -> Any:
    from distaff.tables import read_table

    return read_table(path, columns or (["logvar"] if beside else None))


def _orders(given: list[str] | None) -> dict[str, list[str]]:
    found = {}
    for each in given or []:
        name, equals, words = each.partition("=")
        if not equals or not name or not words:
            raise BadInput(f"--order {each} is not allowed; it must be NAME=FIRST,SECOND,...")
        found[name] = _listed(words) or []
    return found


def _continuous(given: str | None) -> bool | list[str]:
    """All factors, none, or those named."""
    if given is None or given == EVERY:
        return given is not None
    return _listed(given) or True


def _tell_failures(failed: dict[str, str]) -> None:
    """Leave with status 1 where a metric ended in an error of its own; the other scores are printed."""
    if failed:
        lines = "".join(f"\n  {name}: {reason}" for name, reason in failed.items())
        print(f"distaff: {len(failed)} scores have failed, please report it:{lines}", file=sys.stderr)
        raise typer.Exit(1)


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]


def _metrics(metric: list[str] | None, all_: bool) -> list[str] | str | None:
    if metric and all_:
        raise BadInput("give --metric or --all, not both")
    return "all" if all_ else metric or None


@app.command(name="list")
def list_(
    kind: Annotated[str, Argument(help="methods, metrics, datasets, views, studies or experiments")],
    name: Annotated[str | None, Argument(help="One of them, to see its settings.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what there is, or show the settings of one.

    Data sets that need a file which is not in the data folder are marked.
    """
    if name is not None:
        registry.check(kind, name)
        _show(kind, name, as_json)
        return
    found = [{"name": each, "summary": registry.summary(kind, each)} for each in registry.names(kind)]
    if kind == "datasets":
        _mark_files(found, data_dir)
    width = max([0, *(len(each["name"]) for each in found)])
    lines = [f"{each['name']:<{width}}  {each['summary']}{_mark(each)}" for each in found]
    _print("\n".join(lines) or f"no {kind} yet", found, as_json)


def _mark_files(found: list[dict[str, Any]], data_dir: Path | None) -> None:
    """Add to data sets whether they can be loaded, and what file they need if not."""
    from distaff.machine import data_folder

    folder = data_folder(data_dir)
    for each in found:
        places = registry.get("datasets", each["name"]).places
        there = not places or (folder is not None and any((folder / place).exists() for place in places))
        each |= {"available": there, "needs": places[0] if places else None}


def _mark(each: dict[str, Any]) -> str:
    return "" if each.get("available", True) else f" [needs {each['needs']} in the data folder]"


def _show(kind: str, name: str, as_json: bool) -> None:
    import inspect

    thing = registry.get(kind, name)
    text = inspect.getdoc(thing) or ""
    has_settings = isinstance(thing, type) and issubclass(thing, Settings)
    rows = [row._asdict() for row in describe(thing)] if has_settings else []
    if rows:
        settings = [f"  {r['name']}={r['default']}  {r['help']} ({r['allowed']})" for r in rows]
        text += "\n\nSettings:\n" + "\n".join(settings)
    _print(text, {"name": name, "description": inspect.getdoc(thing), "settings": rows}, as_json)


@dataset_app.command(name="show")
def dataset_show(
    name: Annotated[str, Argument(help="A data set's name, an .npz file or a folder of images.")],
    data: Data = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None, Option(help="Contact sheet [default: NAME-sheet.png in this folder].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a data set's card and draw its contact sheet."""
    from distaff.datasets import load_dataset
    from distaff.reporting.contact_sheet import write_contact_sheet

    loaded = load_dataset(name, data_dir=data_dir, **_data_options(data))
    sheet = write_contact_sheet(loaded, out or Path(f"{loaded.name}-sheet.png"))
    card = loaded.card() | {"contact_sheet": str(sheet)}
    width = max(map(len, card))
    lines = [f"{key.replace('_', ' '):<{width}}  {_words(value)}" for key, value in card.items() if value]
    _print("\n".join(lines), card, as_json)


@dataset_app.command(name="build")
def dataset_build(
    name: Annotated[str, Argument(help="A data set's name.")],
    data: Data = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Draw every image of a data set once and keep them in the data folder.

    Nothing needs it: any image can be drawn when it is asked for. Scenes that are slow to draw become quick.
    """
    from distaff.datasets import build_images

    path = build_images(name, data_dir=data_dir, **_data_options(data))
    size = path.stat().st_size
    _print(f"{path}: {size / 1e6:,.0f} MB", {"path": str(path), "bytes": size}, as_json)


app.command()(experiment)


@dataset_app.command(name="perturb")
def dataset_perturb(
    out: Annotated[Path, Argument(help="The .npz to write; it is then a data set by its path.")],
    run: Annotated[
        list[Path] | None,
        Option(help="Runs on one data set: the surest latent of the one with the lowest MIG moves it."),
    ] = None,
    dataset: Annotated[str | None, Option(help="Instead of --run: a data set's name.")] = None,
    data: Data = None,
    codes: Annotated[
        Path | None, Option(help="With --dataset: a number for every image, .npy .npz .csv .parquet")
    ] = None,
    noise: Annotated[bool, Option("--noise", help="Uniform noise of equal size, the control.")] = False,
    eps: Annotated[float, Option(help="How far a pixel may move; black is 0, white is 1.")] = 0.1,
    kappa: Annotated[
        float | None, Option(help="Rows the pattern moves for one unit of the code [default: 10].")
    ] = None,
    clip: Annotated[bool, Option("--clip", help="Cut pixels to 0..1.")] = False,
    seed: SeedOption = 0,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Entangle a data set with a hardly visible pattern.

    Zietlow et al. 2020: the pattern moves with a number per image that mixes the factors. Factors stay.
    """
    from distaff.datasets import Perturbed, UniformNoise, load_dataset, save_perturbed

    if bool(run) == bool(dataset) or bool(codes or noise) != bool(dataset) or (codes and noise):
        raise BadInput("give --run, or --dataset with either --codes or --noise")
    if run and data:
        raise BadInput("--data goes with --dataset; runs know their data set")
    if noise and kappa is not None:
        raise BadInput("--kappa goes with a pattern; noise does not move")
    if out.suffix != ".npz":
        raise BadInput(f"{out} must end in .npz")
    words, told = {}, ""
    if run:
        from distaff.evaluation.least_noisy import least_noisy
        from distaff.training.run import load_run

        found = least_noisy([load_run(each, data_dir=data_dir) for each in run], show=True)
        base, s = found.run.data, found.codes
        words = {"run": str(found.run.folder), "latent": found.latent, "mig": found.mig}
        told = f"; run {found.run.folder}; latent {found.latent}; mig {found.mig:.3f}"
    else:
        base = load_dataset(str(dataset), data_dir=data_dir, **_data_options(data))
    if codes:
        from distaff.tables import codes_of, read_table

        s = codes_of(read_table(codes)).squeeze()
    kappa = 10.0 if kappa is None else kappa
    given: dict[str, Any] = {"eps": eps, "clip": clip, "seed": seed}
    made = UniformNoise(base, **given) if noise else Perturbed(base, s, kappa=kappa, **given)
    save_perturbed(made, out)
    text = f"{out}: {made.note}{told}\nNext: distaff train METHOD --dataset {out}"
    _print(text, {"path": str(out), "note": made.note, **words}, as_json)


def _data_options(pairs: list[str] | None) -> dict[str, Any]:
    options = parse_pairs(pairs)
    if "data_dir" in options:
        raise BadInput("give the data folder as --data-dir, not in --data")
    return options


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {size}" for key, size in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _rows(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise BadInput(f"--rows {text} is not allowed; it must be a whole number or all")
    return int(text)


def _print(text: str, value: Any, as_json: bool) -> None:
    print(json.dumps(value, indent=2) if as_json else text)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, Option("--version", help="Print the version.")] = False,
) -> None:
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
        with command.make_context("distaff", sys.argv[1:] or ["--help"]) as context:
            command.invoke(context)
    except (Exception, KeyboardInterrupt) as error:
        status, message = _explain(error)
        if message:
            print(f"distaff: {message}", file=sys.stderr)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # all is done and said; only the exit is left
    sys.exit(status)


def _printable(text: str) -> str:
    """Text without characters that a terminal would obey; names in files may hold them."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _explain(error: BaseException) -> tuple[int, str]:
    """The exit status and the one line for an error. An unexpected one is raised again, to be reported."""
    if isinstance(error, KeyboardInterrupt):
        return 130, str(error) or "interrupted; run the same command again to continue"
    if isinstance(error, BadInput):
        return 2, _printable(" ".join(str(error).split()))
    if hasattr(error, "format_message"):  # wrong usage, as the parser says it
        context = getattr(error, "ctx", None)
        place = f" See: {context.command_path} --help" if context else ""
        return 2, " ".join(error.format_message().split()) + place
    if hasattr(error, "exit_code"):  # --help and --version end so
        return error.exit_code, ""
    if isinstance(error, OSError):
        hint = "" if error.errno != errno.ENOSPC else "; free some space and run the same command again"
        return 2, f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}{hint}"
    if isinstance(error, Diverged):
        return 1, str(error)
    if isinstance(error, MemoryError) or "not enough memory" in str(error) or "out of memory" in str(error):
        return 1, "there is not enough memory; a smaller batch_size, --rows or resolution takes less"
    raise error


if __name__ == "__main__":
    main()
