"""The runs whose numbers and pictures stand in the README.

    python benchmarks/readme.py demo         # some minutes
    python benchmarks/readme.py demo_seed1   # the same with another seed
    python benchmarks/readme.py dsprites64   # about an hour; the same command continues where it stopped

Trains, scores and reports with the command line, then writes benchmarks/results/NAME.json (command, scores,
seconds, circumstances) and docs/images/NAME.png (traversals of the active latents).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from circumstances import RESULTS, ROOT, circumstances

import distaff
from distaff.evaluation.encode import encode_run
from distaff.evaluation.posterior import active, carried
from distaff.pages.contact_sheet import save_sheet
from distaff.pages.images import strip
from distaff.pages.traversals import traversals

COMMANDS = {
    "demo": "distaff train beta_vae --dataset dsprites --data resolution=32 "
    "--set beta=3 --set latents=5 --set batch_size=32 --set learning_rate=1e-3 --steps 10000 --out runs/demo",
    "demo_seed1": "distaff train beta_vae --dataset dsprites --data resolution=32 "
    "--set beta=3 --set latents=5 --set batch_size=32 --set learning_rate=1e-3 --steps 10000 --seed 1 "
    "--out runs/demo_seed1",
    "dsprites64": "distaff train beta_vae --dataset dsprites "
    "--set beta=10 --set learning_rate=1e-3 --steps 15000 --threads 1 --out runs/dsprites64",
}


def timed(command: str) -> float:
    """Run a command from the root of the checkout and return its seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "distaff.cli", *command.split()[1:]], check=True, cwd=ROOT)
    return time.perf_counter() - began


def training_seconds(run: distaff.Run) -> float:
    """The seconds of all steps, over every sitting, from the rates in the history."""
    last, seconds = 0, 0.0
    for line in run.history():
        seconds += (line["step"] - last) * run.config.settings["batch_size"] / line["images_per_second"]
        last = int(line["step"])
    return seconds


def draw(run: distaff.Run, path: Path) -> None:
    """Traversals of the active latents, as in the report."""
    encoding = encode_run(run, show=False)
    nats, live = carried(encoding), active(encoding)
    strips = traversals(run, encoding, [int(j) for j in (-nats).argsort() if live[j]])
    titles = [f"{each.name}  {nats[each.columns[0]]:.1f} nats" for each in strips]
    save_sheet(path, titles, [strip(each.images) for each in strips])


def main(name: str) -> None:
    """Run one of COMMANDS and record it."""
    timed(COMMANDS[name])
    folder = ROOT / COMMANDS[name].split()[-1]
    for kept in ("scores.json", "encoding.npz"):  # so that their time is measured
        (folder / kept).unlink(missing_ok=True)
    evaluation = timed(f"distaff evaluate {folder}")
    timed(f"distaff report {folder}")
    run = distaff.load_run(folder)
    card = distaff.evaluate(run)
    result = {
        "command": COMMANDS[name],
        "scores": card.to_dict()["scores"],
        "seconds": {"training": round(training_seconds(run)), "evaluation": round(evaluation)},
        **circumstances(run.config.threads),
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    draw(run, ROOT / "docs" / "images" / f"{name}.png")
    print(path.read_text())


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python benchmarks/readme.py {'|'.join(COMMANDS)}")
    main(sys.argv[1])
