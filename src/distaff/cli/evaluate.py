"""`distaff evaluate`."""

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from typer import Option

from distaff.cli import options
from distaff.cli.options import blocks_of, continuous_of, metrics_of, orders_of, tell
from distaff.cli.status import tell_failures
from distaff.errors import BadInput

#: what is made instead of scores, and what it takes beside --seed
INSTEAD = {
    "--acting": ["--steps"],
    "--desiderata": ["--label"],
    "--likelihood": ["--rows"],
    "--reasoning": ["--seen", "--answers", "--steps"],
}
#: what has no meaning for scores
THEIRS = ("--label", "--seen", "--answers", "--steps")


def evaluate(
    run: options.RunFolder,
    representation: Annotated[str, Option(help="mean or sampled.")] = "mean",
    rows: Annotated[
        str | None, Option(help="How many images, or all [default: 100000; with --likelihood 1000].")
    ] = None,
    metric: options.Metrics = None,
    all_: options.All = False,
    protocol: options.Protocol = None,
    continuous: options.Continuous = None,
    order: options.Order = None,
    blocks: options.BlocksOfRun = None,
    groups: options.Groups = None,
    units: options.Units = None,
    seed: options.Seed = 0,
    values_only: options.ValuesOnly = False,
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
    reasoning: Annotated[
        bool, Option("--reasoning", help="Instead: how soon matrices of the run's codes are completed.")
    ] = False,
    seen: Annotated[
        str | None, Option(help="With --reasoning: codes, factors or pixels are seen [codes].")
    ] = None,
    answers: Annotated[
        str | None, Option(help="With --reasoning: easy or hard wrong answers [easy].")
    ] = None,
    acting: Annotated[
        str | None,
        Option(metavar="WORLD", help="Instead: what an agent that sees the codes learns to do in a world."),
    ] = None,
    steps: Annotated[
        int | None, Option(help="Steps of learning, with --reasoning [5000] or --acting [300000].")
    ] = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Score a run.

    Encodes its images once; the card is printed and kept in the run folder.
    """
    given = {
        "--acting": acting is not None,
        "--desiderata": desiderata,
        "--likelihood": likelihood,
        "--reasoning": reasoning,
        "--label": label is not None,
        "--seen": seen is not None,
        "--answers": answers is not None,
        "--steps": steps is not None,
        "--rows": rows is not None,
        "scores": any(
            (
                metric,
                all_,
                protocol,
                values_only,
                continuous,
                order,
                blocks,
                groups,
                units,
                representation != "mean",
            )
        ),
    }
    instead = _instead([what for what, asked in given.items() if asked])
    if instead == "--acting":
        _acting(run, str(acting), steps, seed, data_dir, as_json)
    elif instead == "--desiderata":
        _desiderata(run, label, seed, data_dir, as_json)
    elif instead == "--likelihood":
        _likelihood(run, _rows(rows or "1000"), seed, data_dir, as_json)
    elif instead == "--reasoning":
        _reasoning(run, {"seen": seen, "answers": answers, "steps": steps}, seed, data_dir, as_json)
    if instead:
        return
    from distaff.evaluation.evaluate import OWN
    from distaff.evaluation.evaluate import evaluate as run_evaluation
    from distaff.training.run import load_run

    loaded = load_run(run, data_dir=data_dir)
    card = run_evaluation(
        loaded,
        representation=representation,
        rows=_rows(rows or "100000"),
        metrics=metrics_of(metric, all_),
        protocol=protocol,
        continuous=continuous_of(continuous),
        order=orders_of(order),
        blocks=blocks if blocks == OWN else blocks_of(blocks),
        groups=blocks_of(groups, "--groups"),
        units=units,
        seed=seed,
        values_only=values_only,
    )
    tell(f"{card}\nNext: distaff report {quote(str(run))}", card.to_dict(), as_json)
    tell_failures(card.failed)


def _instead(given: list[str]) -> str | None:
    """What of INSTEAD was asked for; BadInput where that and what else was given do not go together."""
    asked = [each for each in INSTEAD if each in given]
    for option in THEIRS:
        takers = [each for each, takes in INSTEAD.items() if option in takes]
        if option in given and not set(takers) & set(asked):
            raise BadInput(f"{option} has no effect without {' or '.join(reversed(takers))}")
    if not asked:
        return None
    first, takes = asked[0], INSTEAD[asked[0]]
    if set(given) - {first, *takes}:
        raise BadInput(f"{first} takes {', '.join(takes)} and --seed alone; score the run in another call")
    return first


def _desiderata(run: Path, label: str | None, seed: int, data_dir: Path | None, as_json: bool) -> None:
    from distaff.evaluation.desiderata import Line, desiderata, lines
    from distaff.training.run import load_run

    found = desiderata(load_run(run, data_dir=data_dir), label=label, seed=seed)
    head = Line("", "codes", "pixels' plane", "")
    rows = [f"{row.name:<30}{row.value:>8}{row.plane:>15}  {row.meaning}" for row in (head, *lines(found))]
    text = "\n".join(row.rstrip() for row in rows)
    tell(f"{text}\nNext: distaff report {quote(str(run))}", found, as_json)


def _likelihood(run: Path, images: int | None, seed: int, data_dir: Path | None, as_json: bool) -> None:
    from distaff.evaluation.posterior import likelihood
    from distaff.training.run import load_run

    found = likelihood(load_run(run, data_dir=data_dir), images=images, seed=seed)
    text = (
        f"ELBO               {found['elbo']:.2f} nats per image, {found['images']:,} images\n"
        f"bound, {found['samples']} samples {found['bound']:.2f} nats per image; log p(x) is at least that"
    )
    tell(text, found, as_json)


def _acting(
    run: Path, world: str, steps: int | None, seed: int, data_dir: Path | None, as_json: bool
) -> None:
    from distaff.evaluation.acting.returns import STEPS, acting, rows
    from distaff.files import plain
    from distaff.training.run import load_run

    found = acting(
        load_run(run, data_dir=data_dir), world, steps=STEPS if steps is None else steps, seed=seed
    )
    lines = [f"{name:<12}{own:>8.3f}{best:>8.3f}{chance:>8.3f}" for name, own, best, chance in rows(found)]
    head = f"{'return':<12}{'agent':>8}{'best':>8}{'random':>8}"
    tell("\n".join([head, *lines, f"Next: distaff report {quote(str(run))}"]), plain(found), as_json)


def _reasoning(run: Path, given: dict[str, Any], seed: int, data_dir: Path | None, as_json: bool) -> None:
    from distaff.evaluation.reasoning.lesson import lines, reasoning
    from distaff.files import plain
    from distaff.training.run import load_run

    chosen = {name: value for name, value in given.items() if value is not None}
    found = reasoning(load_run(run, data_dir=data_dir), seed=seed, **chosen)
    tell("\n".join([*lines(found), f"Next: distaff report {quote(str(run))}"]), plain(found), as_json)


def _rows(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise BadInput(f"--rows {text} is not allowed; it must be a whole number or all")
    return int(text)
