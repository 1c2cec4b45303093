"""`distaff train`."""

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from typer import Argument, Option

from distaff import registry
from distaff.cli.options import Data, DataDir, Json, Names, Seed, data_options, tell
from distaff.settings import build, parse_pairs


def train(
    method: Annotated[str, Argument(help="A method; see `distaff list methods`.")],
    dataset: Annotated[str, Option(help="A data set's name, an .npz file or a folder of images.")],
    set_: Annotated[
        Names, Option("--set", metavar="KEY=VALUE", help="A setting of the method; may be repeated.")
    ] = None,
    data: Data = None,
    steps: Annotated[int, Option(help="Training steps; more than before extends the run.")] = 20_000,
    seed: Seed = 0,
    threads: Annotated[int | None, Option(help="CPU threads [default: all].")] = None,
    device: Annotated[str, Option(help="auto, cpu, cuda or mps.")] = "auto",
    noise: Annotated[str, Option(help="auto, host (the same on every device) or device (quicker).")] = "auto",
    out: Annotated[Path | None, Option(help="Run folder [default: runs/METHOD-DATASET-sSEED].")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train a method on a data set.

    The same command again continues where it stopped, or says that it is finished.
    """
    settings, options = parse_pairs(set_), data_options(data)
    registry.check("methods", method)
    from distaff.datasets import load_dataset
    from distaff.training.train import train as run_training

    made = build(registry.get("methods", method), settings, method)
    loaded = load_dataset(dataset, data_dir=data_dir, **options)
    where: dict[str, Any] = {"threads": threads, "device": device, "noise": noise}
    run = run_training(made, loaded, steps=steps, seed=seed, out=out, **where)
    last = run.history()[-1] if run.history() else {}
    text = f"{run.folder}: {run.effort}" + "".join(
        f", {name} {value:.2f}" for name, value in last.items() if name not in ("step", "images_per_second")
    )
    then = f"Next: distaff evaluate {quote(str(run.folder))}"
    tell(f"{text}\n{then}", {"run": str(run.folder), **last}, as_json)
