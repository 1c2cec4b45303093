"""Hostile files: every kind a user can hand us, damaged in thousands of ways, each used or refused.

Run by `python benchmarks/faults.py fuzz [--count N] [--case NUMBER]`. A case is always the same: it takes
valid files, damages one (see hostile.py), and uses it as the library would. A result is right, and so is
BadInput or Diverged in a short line. Wrong is any other error, more than 20 seconds or 4 GB, a file written
elsewhere, code run from data, images from elsewhere, or a name that reaches a page unescaped.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import hostile
from fuzz_files import GRID, RUNS, SCORED, TRAINED, make_bases
from hostile_values import SCRIPT

MEMORY_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None
SECONDS, MEMORY, WATCHDOG, LONGEST = 20, 4 << 30, 90, 3000
METRICS = ["mig", "mcc", "sap", "irs", "modularity", "gaussian_total_correlation"]
METRICS += ["jemmig", "mig_sup", "infomec"]
ORIGINALS = {
    "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz": "dsprites",
    "3dshapes.h5": "shapes3d",
    "mpi3d_toy.npz": "mpi3d_toy",
    "mpi3d_real.npz": "mpi3d_real",
}
#: what is done with a run, by what was damaged
USED = {
    "checkpoint.safetensors": ("resume",),
    "model.safetensors": ("codes", "score", "report", "resume"),
    "encoding.npz": ("score", "score", "report"),
    "history.jsonl": ("codes", "resume", "report"),
    "scores.json": ("score", "score", "report"),
}
REFUSED = ("foreign", "outside")  # damage that nothing may come of
PICTURES = ("pictures", "classes")  # subjects that are folders of images
#: how the files begin of the formats that are read under any picture's name
READ = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"RIFF")


class Late(BaseException):
    """A case took too long."""


@contextlib.contextmanager
def small_originals() -> Iterator[None]:
    """The published data sets with few images, so that small files are whole."""
    from distaff.datasets import dsprites, mpi3d, shapes3d
    from distaff.factors import FactorSpace

    with contextlib.ExitStack() as stack:
        for kind, sizes in ((dsprites.DSprites, (3, 2, 2, 2, 2)), (shapes3d.Shapes3D, (2, 2, 2, 1, 1, 1))):
            stack.enter_context(mock.patch.object(kind, "factors", FactorSpace(kind.factors.names, sizes)))
        stack.enter_context(mock.patch.object(mpi3d, "REST", (1, 1, 1, 1, 1)))
        yield


# Use


def use_run(folder: Path, damaged: str, rng: random.Random) -> None:
    """Everything that takes a run folder, or part of it."""
    import distaff

    kind = rng.choice(USED.get(damaged, ("codes", "score", "resume", "report")))
    if damaged != "scores.json" and rng.random() < 0.8:
        (folder / "scores.json").unlink()
    if damaged == "model.safetensors" and kind != "resume":
        (folder / "encoding.npz").unlink()
    if kind == "resume":
        if damaged in ("checkpoint.safetensors", "history.jsonl"):
            (folder / "model.safetensors").unlink()
        given = TRAINED | RUNS[folder.name] | {"steps": rng.choice((10, 12)), "out": folder}
        distaff.train(folder.name, distaff.load_dataset("dsprites", **GRID), **given)
        return
    run = distaff.load_run(folder)
    if kind == "score":
        card = distaff.evaluate(run, **SCORED)
        json.dumps([str(card), card.to_dict()])
    elif kind == "report":
        page = distaff.report(run, show=False).read_text(errors="replace")
        assert SCRIPT not in page, "a name was not escaped"
    else:
        run.encode(run.data.images(np.arange(3)))
        run.decode(np.zeros((2, run.method.latents)))
        json.dumps([run.history(), run.normalised_beta])


def use_data(folder: Path, damaged: str, rng: random.Random) -> None:
    """A data set of one's own: its card, its images, at times two steps of training."""
    import distaff

    files = {"npz": "data.npz", "keys": "data.npz", "idx": "train-images-idx3-ubyte.gz"}
    options: dict[str, Any] = {"resolution": rng.choice((16, 32))} if rng.random() < 0.5 else {}
    if folder.name == "classes":
        options["background"] = rng.choice(("black", [1, 2, 3]))
    with warnings.catch_warnings():
        if folder.name in PICTURES:
            warnings.simplefilter("error")  # none of an image reader's may reach a user
        data = distaff.load_dataset(folder / files.get(folder.name, ""), **options)
        look(data)
    if rng.random() < 0.05:
        distaff.train("vae", data, out=folder.with_name("run"), **(TRAINED | {"steps": 2}))


def use_original(folder: Path, damaged: str, rng: random.Random) -> None:
    """The published data sets, read from the data folder."""
    import distaff

    with small_originals():
        if rng.random() < 0.5:
            look(distaff.load_dataset(ORIGINALS[damaged], data_dir=folder))
        else:
            look(distaff.load_dataset(folder / damaged))


def look(data: Any) -> None:
    """The card and some images and labels."""
    json.dumps([data.card(), data.fingerprint(), data.source, data.note])
    index = np.arange(min(2, len(data)))
    data.images(index)
    data.labels(index)


def use_tables(folder: Path, damaged: str, rng: random.Random) -> None:
    """Codes and factors as `distaff score` takes them, one of them damaged."""
    import distaff
    from distaff.tables import read_table

    codes = damaged if damaged.startswith("codes") else "codes.npy"
    factors = damaged if damaged.startswith("factors") or damaged.endswith(".h5ad") else "factors.npy"
    first, second = read_table(folder / codes), read_table(folder / factors, role="factors")
    given = {"metrics": [rng.choice(METRICS)], "values_only": True, "continuous": rng.random() < 0.3}
    given |= {"missing": rng.choice(("error", "drop"))}
    card = distaff.score(first, second, **given)
    json.dumps([str(card), card.to_dict()])


Use = Callable[[Path, str, random.Random], None]
#: what is damaged, how often, and what is then done with it
SUBJECTS: dict[str, tuple[int, Use]] = {
    "beta_vae": (5, use_run),
    "qlae": (2, use_run),
    "npz": (3, use_data),
    "pictures": (3, use_data),
    "classes": (2, use_data),
    "keys": (2, use_data),
    "idx": (1, use_data),
    "originals": (3, use_original),
    "tables": (8, use_tables),
}


# Cases


def run_case(root: Path, case: int) -> dict[str, Any]:
    """Damage, use, and say what came of it."""
    rng = random.Random(case)
    subject = rng.choices(list(SUBJECTS), [weight for weight, _ in SUBJECTS.values()])[0]
    folder = root / "case" / subject
    shutil.rmtree(root / "case", ignore_errors=True)
    shutil.copytree(root / "bases" / subject, folder, symlinks=True)
    path = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    damage = hostile.spoil(path, rng)
    refused = damage in REFUSED and not (damage == "foreign" and path.read_bytes().startswith(READ))
    before, (outcome, detail) = _around(root), ("succeeded", "")
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with warnings.catch_warnings(), contextlib.chdir(root / "here"), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            SUBJECTS[subject][1](folder, path.name, rng)
        if refused:
            outcome, detail = "failed", "it was not refused"
    except BaseException as error:
        outcome, detail = judge(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if _around(root) != before:
        outcome, detail = "failed", f"written elsewhere: {set(_around(root)) ^ set(before)}"
    found = {"case": case, "subject": subject, "file": path.name, "damage": damage, "outcome": outcome}
    return found | ({"detail": detail} if detail else {})


def judge(error: BaseException) -> tuple[str, str]:
    """What an error makes of a case: refused if it is ours and short, else failed; and why."""
    from distaff.errors import BadInput, Diverged

    if isinstance(error, BadInput | Diverged):
        text = str(error)
        return ("refused", text[:200]) if len(text) < LONGEST else ("failed", f"{len(text)} characters")
    last = traceback.extract_tb(error.__traceback__)
    ours = [f for f in last if "/distaff/" in f.filename]
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in [*ours[::-1][:3], last[-1]])
    return "failed", f"{type(error).__name__}: {str(error)[:200]} ({where})"


def _around(root: Path) -> list[tuple[str, int]]:
    """What lies outside the folder of the case."""
    outside = [(str(path), path.stat().st_mtime_ns) for path in (root / "outside").iterdir()]
    return sorted(outside + [(str(path), 0) for path in (*(root / "here").iterdir(), *root.iterdir())])


def work(root: Path, first: int, last: int, log: Path) -> None:
    """Run cases in this process, a line before and after each."""

    def late(*_: Any) -> None:
        raise Late

    signal.signal(signal.SIGALRM, late)
    import h5py  # noqa: F401
    import torch

    import distaff
    from distaff import training  # noqa: F401

    torch.set_num_threads(1)
    if not (root / "bases").exists():
        make_bases(root / "bases")
    distaff.load_run(root / "bases" / "qlae")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    with log.open("a") as file:
        for case in range(first, last):
            print(json.dumps({"begun": case}), file=file, flush=True)
            print(json.dumps(run_case(root, case)), file=file, flush=True)


def run_cases(first: int, last: int, root: Path) -> list[dict[str, Any]]:
    """Run cases in processes of their own, a new one wherever one dies or hangs."""
    for name in ("here", "outside"):
        (root / name).mkdir(parents=True, exist_ok=True)
    log, results = root / "log.jsonl", []
    marks = {"FUZZ_MARKER": str(root / "outside" / "marker"), "XDG_CACHE_HOME": str(root / "cache")}
    (root / "cache").mkdir(exist_ok=True)
    while first < last:
        log.write_text("")
        words = [sys.executable, __file__, str(root), str(first), str(last), str(log)]
        with (root / "stderr").open("w") as errors:
            process = subprocess.Popen(words, env=os.environ | marks, stdout=errors, stderr=errors)
        size = -1
        while process.poll() is None:
            try:
                process.wait(WATCHDOG)
            except subprocess.TimeoutExpired:
                if log.stat().st_size == size:
                    process.kill()
                size = log.stat().st_size
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        results += [line for line in lines if "outcome" in line]
        first = lines[-1].get("begun", last) if lines else last
        if process.returncode:
            detail = f"the process ended with {process.returncode}: {(root / 'stderr').read_text()[-300:]}"
            failed = {"subject": "", "damage": "", "outcome": "failed", "detail": detail}
            results.append({"case": first, **failed})
            first += 1
    return results


def summary(results: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """How many of each subject were tried, refused, succeeded and failed."""
    table: dict[str, Counter[str]] = {}
    for result in results:
        table.setdefault(result["subject"], Counter())[result["outcome"]] += 1
    none = {"refused": 0, "succeeded": 0, "failed": 0}
    return {name: {"tried": counts.total(), **none, **counts} for name, counts in sorted(table.items())}


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
