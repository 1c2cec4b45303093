"""`distaff dataset`: show, build and perturb."""

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer
from typer import Argument, Option

from distaff.cli.options import Data, DataDir, Json, Seed, data_options, tell
from distaff.errors import BadInput

app = typer.Typer(help="Look at data sets.", rich_markup_mode=None)


@app.command()
def show(
    name: Annotated[str, Argument(help="A data set's name, an .npz file or a folder of images.")],
    data: Data = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None, Option(help="Contact sheet [default: NAME-sheet.png in this folder].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a data set's card and draw its contact sheet."""
    from distaff import registry
    from distaff.datasets import load_dataset
    from distaff.files import check_output
    from distaff.pages.contact_sheet import write_contact_sheet

    read = None if name in registry.names("datasets") else name
    if out is not None:
        check_output(out, ".png", read)
    loaded = load_dataset(name, data_dir=data_dir, **data_options(data))
    out = out or Path(f"{loaded.name}-sheet.png")
    check_output(out, ".png", read)
    sheet = write_contact_sheet(loaded, out)
    card = loaded.card() | {"contact_sheet": str(sheet)}
    width = max(map(len, card))
    lines = [f"{key.replace('_', ' '):<{width}}  {_words(value)}" for key, value in card.items() if value]
    tell("\n".join(lines), card, as_json)


@app.command()
def build(
    name: Annotated[str, Argument(help="A data set's name.")],
    data: Data = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Draw every image of a data set once and keep them in the data folder.

    Nothing needs it: any image can be drawn when it is asked for. Scenes that are slow to draw become quick.
    """
    from distaff.datasets import build_images

    path = build_images(name, data_dir=data_dir, **data_options(data))
    size = path.stat().st_size
    tell(f"{path}: {size / 1e6:,.0f} MB", {"path": str(path), "bytes": size}, as_json)


@app.command()
def perturb(
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
    seed: Seed = 0,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Entangle a data set with a hardly visible pattern.

    Zietlow et al. 2020: the pattern moves with a number per image that mixes the factors. Factors stay.
    """
    from distaff.datasets import Perturbed, UniformNoise, load_dataset, save_perturbed
    from distaff.files import check_output

    if bool(run) == bool(dataset) or bool(codes or noise) != bool(dataset) or (codes and noise):
        raise BadInput("give --run, or --dataset with either --codes or --noise")
    if run and data:
        raise BadInput("--data goes with --dataset; runs know their data set")
    if noise and kappa is not None:
        raise BadInput("--kappa goes with a pattern; noise does not move")
    check_output(out, ".npz", dataset, codes)
    words, told = {}, ""
    if run:
        from distaff.evaluation.least_noisy import least_noisy
        from distaff.training.run import load_run

        found = least_noisy([load_run(each, data_dir=data_dir) for each in run], show=True)
        base, s = found.run.data, found.codes
        words = {"run": str(found.run.folder), "latent": found.latent, "mig": found.mig}
        told = f"; run {found.run.folder}; latent {found.latent}; mig {found.mig:.3f}"
    else:
        base = load_dataset(str(dataset), data_dir=data_dir, **data_options(data))
    if codes:
        from distaff.tables import codes_of, read_table

        s = codes_of(read_table(codes)).squeeze()
    kappa = 10.0 if kappa is None else kappa
    given: dict[str, Any] = {"eps": eps, "clip": clip, "seed": seed}
    made = UniformNoise(base, **given) if noise else Perturbed(base, s, kappa=kappa, **given)
    save_perturbed(made, out)
    text = f"{out}: {made.note}{told}\nNext: distaff train METHOD --dataset {quote(str(out))}"
    tell(text, {"path": str(out), "note": made.note, **words}, as_json)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {size}" for key, size in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
