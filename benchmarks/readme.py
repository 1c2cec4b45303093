"""The runs whose numbers and pictures stand in the README.

    python benchmarks/readme.py demo         # some minutes; its settings were chosen by trials on this seed
    python benchmarks/readme.py demo_seed1   # the same with another seed
    python benchmarks/readme.py demo_seed2
    python benchmarks/readme.py dsprites64   # about an hour; the same command continues where it stopped

Trains, scores and reports with the command line, then writes benchmarks/results/NAME.json (command, scores,
active latents, seconds, circumstances) and docs/images/NAME.png (traversals of the active latents).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from circumstances import RESULTS, ROOT, circumstances

import distaff
from distaff.evaluation.encode import Encoding, encode_run
from distaff.evaluation.posterior import active, carried
from distaff.metrics.information import binned_information
from distaff.pages.contact_sheet import save_sheet
from distaff.pages.images import strip
from distaff.pages.traversals import traversals

DEMO = (
    "distaff train beta_vae --dataset dsprites --data resolution=32 "
    "--set beta=3 --set latents=5 --set batch_size=32 --set learning_rate=1e-3 --steps 10000 "
)
COMMANDS = {
    "demo": DEMO + "--out runs/demo",
    "demo_seed1": DEMO + "--seed 1 --out runs/demo_seed1",
    "demo_seed2": DEMO + "--seed 2 --out runs/demo_seed2",
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


def active_latents(encoding: Encoding) -> list[int]:
    """The active latents, those that carry most first."""
    live = active(encoding)
    return [int(j) for j in (-carried(encoding)).argsort() if live[j]]


def told(run: distaff.Run, encoding: Encoding) -> list[dict[str, Any]]:
    """What each active latent tells most of: a factor, and the share of its entropy (20 bins, as in MIG)."""
    nats = carried(encoding)
    information, entropies = binned_information(
        encoding.mean, np.asarray(run.data.labels(encoding.rows)), bins=20, continuous=False
    )
    shares = information / entropies
    found = []
    for j in active_latents(encoding):
        most = int(shares[j].argmax())
        found.append({"latent": j, "nats": round(float(nats[j]), 3), "factor": run.data.label_names[most]})
        found[-1]["share"] = round(float(shares[j, most]), 3)
    return found


def draw(run: distaff.Run, encoding: Encoding, path: Path) -> None:
    """Traversals of the active latents, as in the report."""
    nats = carried(encoding)
    strips = traversals(run, encoding, active_latents(encoding))
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
    card, encoding = distaff.evaluate(run), encode_run(run, show=False)
    result = {
        "command": COMMANDS[name],
        "scores": card.to_dict()["scores"],
        "latents": told(run, encoding),
        "seconds": {"training": round(training_seconds(run)), "evaluation": round(evaluation)},
        "processes that ran or waited": round(os.getloadavg()[2], 1),  # mean of 15 minutes, ours with it
        **circumstances(run.config.threads),
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    draw(run, encoding, ROOT / "docs" / "images" / f"{name}.png")
    print(path.read_text())


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python benchmarks/readme.py {'|'.join(COMMANDS)}")
    main(sys.argv[1])
