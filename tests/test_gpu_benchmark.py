"""benchmarks/gpu.py where there is no GPU, and what it makes of what it found."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

ROOT = Path(__file__).parents[1]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("gpu_parts")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_and_writes_nothing(tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--out", str(tmp_path / "gpu.json")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "there is no CUDA GPU here: nothing is measured\n"
    assert not list(tmp_path.iterdir())


class Found:
    """Results as a Bench has them."""

    def __init__(self, **found: dict[str, float]) -> None:
        self.found: dict[str, dict[str, float]] = found

    def keep(self, part: str, what: str, value: float) -> None:
        self.found.setdefault(part, {})[what] = value


def test_the_projection_counts_every_models_images(parts: ModuleType) -> None:
    """At 100,000 images/s grey and half of that in colour, with FactorVAE at half of each."""
    quick, slow = parts.BESIDE[-2:]
    assert quick.precision == "tf32"
    bench = Found(
        many={str(quick): 1e5, str(slow._replace(precision="tf32")): 9e4},
        methods={f"factor_vae on dsprites, {quick}": 5e4, f"beta_vae on color_dsprites, {quick}": 5e4},
    )
    parts.projection(bench)
    seconds = 0.0
    for _data, rate in [("grey", 1e5)] * 2 + [("colour", 5e4)] * 5:
        for method in range(6):
            models = 12_600 / 7 / 6
            seconds += models * 300_000 * 64 / (rate / 2 if method == 0 else rate)
    assert list(bench.found["projection"].values()) == pytest.approx([seconds / 86_400])


def test_no_projection_without_a_rate(parts: ModuleType) -> None:
    bench = Found()
    parts.projection(bench)
    assert bench.found == {}
