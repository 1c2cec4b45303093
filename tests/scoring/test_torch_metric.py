"""The torchmetrics adapter with the real torchmetrics, alone and in two processes."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scoring.test_stream import CODES, FACTORS, RANGES

from distaff.errors import BadInput
from distaff.scoring.stream import Stream

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of torchmetrics' own imports
    torchmetrics = pytest.importorskip(
        "torchmetrics", reason="torchmetrics is not installed (extra `streams`)"
    )

METRICS = ["mig", "linear_r2", "irs"]
GIVEN: dict[str, Any] = {"ranges": RANGES, "seed": 3, "sample": 50}


def made(**given: Any) -> Any:
    from distaff.scoring.torch_metric import StreamMetric

    return StreamMetric(METRICS, **GIVEN, **given)


def expected(rows: slice = slice(None)) -> dict[str, float]:
    stream = Stream(METRICS, **GIVEN)
    stream.update(CODES[rows], FACTORS[rows])
    return stream.compute()


def numbers(found: Any) -> dict[str, float]:
    return {name: float(value) for name, value in found.items()}


def test_update_compute_and_reset() -> None:
    import torch

    metric = made()
    for start in range(0, 600, 5):  # more batches than are kept apart
        metric.update(torch.tensor(CODES[start : start + 5]), torch.tensor(FACTORS[start : start + 5]))
    assert len(metric.pieces) < 64
    assert numbers(metric.compute()) == pytest.approx(expected(), abs=1e-9)
    metric.reset()
    assert metric.stream.rows == 0
    metric.update(CODES, FACTORS)
    found = numbers(metric.compute())
    assert found["mig"] == pytest.approx(expected()["mig"], abs=1e-9)
    assert found["irs"] != expected()["irs"]  # its rows have other numbers, so that the sample is another


def test_forward_gives_the_batch_and_keeps_all() -> None:
    metric = made()
    for rows in (slice(0, 200), slice(200, 600)):
        batch = numbers(metric(CODES[rows], FACTORS[rows]))
        assert batch["mig"] == pytest.approx(expected(rows)["mig"], abs=1e-9)
    assert numbers(metric.compute()) == pytest.approx(expected(), abs=1e-9)


def test_metrics_merge_clone_and_move() -> None:
    import torch

    one, other = made(), made()
    one.update(CODES[:200], FACTORS[:200])
    other._row = 200
    other.update(CODES[200:], FACTORS[200:])
    one.merge_state(other)
    assert numbers(one.clone().to(torch.device("cpu")).compute()) == pytest.approx(expected(), abs=1e-9)
    both = torchmetrics.MetricCollection({"codes": one.clone()})
    assert numbers(both.compute()) == numbers(one.compute())


def test_wrong_settings_are_told_at_once() -> None:
    from distaff.scoring.torch_metric import StreamMetric

    with pytest.raises(BadInput, match="unknown metric 'migg'"):
        StreamMetric("migg")
    with pytest.raises(ValueError, match="Unexpected keyword"):
        StreamMetric("mig", rang=(0, 1))


WORKER = """
import sys, warnings
sys.path.insert(0, sys.argv[3])
warnings.simplefilter("ignore")
import json, torch
import torch.distributed as dist
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
from scoring.test_stream import CODES, FACTORS
from scoring.test_torch_metric import made
metric, late = made(), made()
for start in range(100 * rank, 600, 200):  # batches of 100 rows in turn
    metric.update(CODES[start : start + 100], FACTORS[start : start + 100])
if rank == 0:
    late.update(CODES, FACTORS)  # the other sees nothing
found = [{k: float(v) for k, v in each.compute().items()} for each in (metric, late)]
metric.update(CODES[:1] + rank, FACTORS[:1])
print(json.dumps([*found, metric.stream.rows]))
dist.destroy_process_group()
"""


def test_two_processes_score_the_rows_of_both(tmp_path: Path) -> None:
    import json

    tests = str(Path(__file__).parents[1])
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(rank), str(tmp_path / "store"), tests],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    first, second = (json.loads(worker.communicate(timeout=300)[0]) for worker in workers)
    assert first[:2] == second[:2]
    assert first[2] == second[2] == 301  # what was gathered is not kept: each goes on with its own
    stream = Stream(METRICS, **GIVEN)
    for rank in (0, 1):
        part = Stream(METRICS, **GIVEN, part=rank)
        rows = np.concatenate([np.arange(start, start + 100) for start in range(100 * rank, 600, 200)])
        part.update(CODES[rows], FACTORS[rows])
        stream.merge(part)
    assert first[0] == pytest.approx(stream.compute(), abs=1e-9)
    assert first[0]["mig"] == pytest.approx(expected()["mig"], abs=1e-9)
    assert first[1] == pytest.approx(expected(), abs=1e-9)
