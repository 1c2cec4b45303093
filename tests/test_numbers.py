"""Every number on a page that is written by hand comes from a results file or from the program.

PHRASES makes, for each page, what must stand in it of what was measured or is registered. NAMES, GIVEN and
CITED are words whose digits are no measurements. What is left of a page's prose has no digits.
"""

from __future__ import annotations

import inspect
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scripts import script

import distaff
from distaff import registry
from distaff.batches.symbols import Symbols
from distaff.datasets.views.correlated import RATIO
from distaff.evaluation.decomposition import SAMPLES
from distaff.experiments.scan_vision import ROOMS, STRENGTH
from distaff.experiments.verdict import FAILS, HOLDS, UNDECIDED, over_seeds
from distaff.metrics.posterior import ACTIVE_KL
from distaff.studies.cost import factors_of
from distaff.studies.locatello2019 import SCALES, plan
from distaff.training.side_by_side import BRANCHES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RESULTS = ROOT / "benchmarks" / "results"
DEMOS = ("demo", "demo_seed1", "demo_seed2")
SHOWN = ("beta_vae_score", "factor_vae_score", "mig")


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def pages_made() -> set[str]:
    """The names of the pages of docs/ that are written by a script."""
    return set(script(DOCS / "tables.py").PAGES)


# What must stand in a page


def readme() -> Iterator[str]:
    yield from demo()
    yield from long_run()
    yield from speed()
    yield from sturdiness()
    yield from found_so_far()
    python = re.search(r'requires-python = ">=(.*?)"', (ROOT / "pyproject.toml").read_text())
    assert python is not None
    yield f"With Python {python[1]} or newer"
    yield f"the {len(plan('paper').runs):,} models of Locatello et al. 2019"


def found_so_far() -> Iterator[str]:
    """The verdicts of all experiments that were run as they are now."""
    results = script(DOCS / "found.py").results().values()
    verdicts = Counter(claim["verdict"] for result in results for claim in result["claims"])
    holds, fails, undecided = (verdicts[each] for each in (HOLDS, FAILS, UNDECIDED))
    counted = f"{holds} hold, {fails} fail and {undecided} are undecided"
    yield f"Of {holds + fails + undecided} claims that were judged so far {counted}"


def demo() -> Iterator[str]:
    """The three runs of the demo, and what lies between chance and the ceiling."""
    found = [result(name) for name in DEMOS]
    for seed, run in enumerate(found):
        cells = [interval(**{k: run["scores"][name][k] for k in ("value", "low", "high")}) for name in SHOWN]
        told = ", ".join(f"{each['factor']} {each['share']:.2f}" for each in run["latents"])
        yield f"| {seed} | {' | '.join(cells)} | {told} |"
    over = [over_seeds([run["scores"][name]["value"] for run in found]) for name in SHOWN]
    yield f"| mean | {' | '.join(interval(each.value, each.low, each.high) for each in over)} | |"
    for level in ("chance", "ceiling"):
        cells = [f"{found[0]['scores'][name][level]:.3f}" for name in SHOWN]
        yield f"| {level} | {' | '.join(cells)} | |"
    assert {"shape", "orientation"}.isdisjoint(each["factor"] for run in found for each in run["latents"])
    assert len({json.dumps([run[key] for key in ("processor", "threads", "torch")]) for run in found}) == 1
    times = [round(run["seconds"]["training"] / 60) for run in found]
    busy = sorted(run["processes that ran or waited"] for run in found)
    assert found[0]["cores"] == 2
    yield f"With {found[0]['threads']} threads on an {found[0]['processor']} training took {min(times)} to"
    yield f"{max(times)} minutes, as {busy[0]} to {busy[-1]} processes shared the two cores"
    yield f"its MIG is {found[2]['scores']['mig']['value']:.3f}"
    yield f"MIG can reach {found[0]['scores']['mig']['ceiling']:.3f} here, not 1: with 20 equal bins"
    assert inspect.signature(distaff.metrics.mig).parameters["bins"].default == 20


def interval(value: float, low: float | None, high: float | None) -> str:
    assert low is not None
    assert high is not None
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def long_run() -> Iterator[str]:
    found = result("dsprites64")
    scores = ", ".join(f"{name} {found['scores'][name]['value']:.3f}" for name in SHOWN)
    yield f"{scores}, after {found['seconds']['training'] / 60:.0f} minutes on {found['date']}"
    assert found["machine"]["threads"] == 1
    yield f"on one core of an {found['machine']['processor']}"


def speed() -> Iterator[str]:
    """What of the engine's results stands in the README."""
    engine = result("engine")
    met = script(ROOT / "benchmarks" / "bounds.py").met
    kept = [met(what, n) for part in engine.values() for what, n in part.items() if what != "on"]
    yield f"of {len(kept) - kept.count(None)} bounds that we set ourselves {kept.count(False)} are not met"
    steps, whole = engine["steps"], engine["everything"]
    yield f"{when(steps)}, beta-VAE on 64-pixel dSprites trained at {steps['distaff images/s']:,.0f} images/s"
    yield f"{steps['distaff / yardstick (>= 1.8)']:.2f} times a plain PyTorch loop"
    yield f"in {steps['peak MB of a training process (<= 700)']:.0f} MB"
    yield f"{engine['encode']['encoding images/s (>= 4000)']:,.0f} images/s were encoded"
    seconds = whole["all of dSprites encoded and scored, s (< 240)"]
    every = len(distaff.load_dataset("dsprites"))
    yield f"{when(whole)}, all {every:,} images were encoded and scored in {seconds:.0f} s"
    card = engine["card"]
    values = card["100,000 rows of 10 codes scored, values only, s (< 5)"]
    yield f"{when(card)}, 100,000 rows of 10 codes had all values in {values:.1f} s"
    whole = card["the default card of them, from nothing, s (< 60)"]
    yield f"the default card with intervals, chance and ceiling in {whole:.0f} s"
    yield from threads(engine["threads"])


def when(part: dict[str, Any]) -> str:
    """The day and the machine of a part of the engine's results."""
    on = part["on"]
    assert on["threads"] == 2
    return f"On {on['date']}, on two cores of an {on['processor']}"


def threads(found: dict[str, Any]) -> Iterator[str]:
    rates = [found[f"64 pixels, {beside}: images/s"] for beside in ("idle", "beside 1 busy", "beside 2 busy")]
    to_torch = found["64 pixels, idle / torch's own threads (>= .98)"]
    one, two = (found[f"64 pixels, beside {n} busy / one thread beside them (>= .95)"] for n in (1, 2))
    yield f"{when(found)}, when two threads share out a batch: {rates[0]:.0f} images/s"
    yield f"{to_torch:.2f} times what torch's own threads make"
    yield f"beside one busy process {rates[1]:.0f}, {one:.2f} times what one thread makes there"
    yield f"beside two {rates[2]:.0f}, {two:.2f} times"


def sturdiness() -> Iterator[str]:
    faults, kills = result("faults"), result("studies")["kills"]
    tried = {kind: f"{found['tried']:,}" for kind, found in faults.items()}
    assert not any(found["failures"] for found in faults.values())
    yield f"{tried['kills']} kills and {tried['signals']} signals at random moments"
    yield f"{tried['disk']} full disks and lost files, {tried['fuzz']} hostile files"
    assert (kills["done"], kills["failed"], kills["rows twice"]) == (kills["runs"], 0, 0)
    yield f"Of {kills['runs']} small runs with {kills['workers killed']} workers killed, a study finished all"


def studies() -> Iterator[str]:
    """docs/studies.md: the plans' sizes, and what benchmarks/studies.py measured."""
    for scale in SCALES:
        made = plan(scale)
        sets = {run.dataset for run in made.runs}
        methods, seeds = ({getattr(run, key) for run in made.runs} for key in ("method", "seed"))
        strengths = len(made.runs) // (len(sets) * len(methods) * len(seeds))
        row = f"{len(methods)} x {strengths} x {len(seeds)} | {len(made.runs):,} | {made.runs[0].steps:,} |"
        yield row
        yield from {f"{run.options['resolution']} pixels" for run in made.runs if "resolution" in run.options}
    yield from smaller_scales()
    yield f"it is the default, with up to {BRANCHES} runs"
    every = plan("paper").runs
    seeds_, settings = (
        len({run.seed for run in every}),
        len({(run.method, run.strength_value) for run in every}),
    )
    yield f"number = {seeds_ * settings} x data set + {seeds_} x setting + seed"
    found = result("studies")
    kills, collect = found["kills"], found["collect"]
    assert (kills["done"], kills["rows twice"]) == (kills["runs"], 0)
    yield f"of {kills['runs']} tiny runs with {kills['workers killed']} workers killed"
    yield f"two workers were {found['throughput']['two / one (>= 1.8)']:.2f} times as fast as one"
    yield f"a run costs {found['overhead']['seconds a run (< 3)']:.2f} s"
    yield f"collecting {collect['runs']:,} runs takes {collect['seconds (< 60)']:.0f} s"
    least = f"{ACTIVE_KL:g}".lstrip("0")
    yield from (f"tells images apart by more than {least} nats", f"below {least}")
    yield f"(above {least} nats of KL)"
    yield f"that of {SAMPLES:,} sampled codes"


def smaller_scales() -> Iterator[str]:
    """How many images there are, what the reconstruction weighs, and the seeds of pilots."""
    for scale in ("small", "nano"):
        sizes = {run.dataset: math.prod(factors_of(run).values()) for run in plan(scale).runs}
        yield f"{sizes['dsprites']:,} and {sizes['shapes3d']:,} images"
    large, small = (plan(scale).runs[0] for scale in ("desktop", "small"))
    weights = {run.options["resolution"]: f"{run.made.reconstruction_weight:g}" for run in (large, small)}
    yield "({} at {} pixels, {} at {})".format(*(n for side in weights for n in (weights[side], side)))
    yield f"smaller than {distaff.load_dataset('dsprites').resolution} pixels"
    yield f"on seeds {min(script(ROOT / 'benchmarks' / 'pilots.py').SEEDS)} and up"


def methods() -> Iterator[str]:
    yield f"Runs have {inspect.signature(distaff.train).parameters['steps'].default:,} steps unless told"
    yield f"the study's had {plan('paper').runs[0].steps:,}"
    side = 64
    yield f"at 32 pixels ({(side // 16) ** 2} at 16)"
    yield f"Papers work at {side} pixels"


def metrics() -> Iterator[str]:
    timed = inspect.getsource(script(ROOT / "benchmarks" / "metrics.py"))
    rows = re.search(r"rows_of\((\d+_\d+) if held_out else (\d+_\d+)\)", timed)
    assert rows is not None
    yield f"{int(rows[2]):,} rows of 10 codes"
    yield f"({int(rows[1]):,} rows where a third is held out)"


def honest_numbers() -> Iterator[str]:
    table = pd.read_csv(RESULTS / "unit_intervals.csv").set_index(["score", "intervals over"])["holds it"]
    by_rows, by_units = table["mcc", "rows"], table["mcc", "units"]
    yield f"population in {by_rows:.0%} of cases and intervals over units in {by_units:.0%}".replace(
        "%", " %"
    )
    yield "where 95 % was asked"


def datasets() -> Iterator[str]:
    yield f"probabilities in ratio {RATIO:g}"


def gpu() -> Iterator[str]:
    """docs/engine_gpu.md: what benchmarks/gpu.py measured."""
    found = result("gpu")
    one, many, on = found["alone"], found["many"], found["many"]["on"]
    yield f"On an {on['card']} with torch {on['torch']}, at commit"
    assert on["commit"] == "4f25e30"
    eager = one["1 run, one by one, torch, float32, repeatable: images/s"]
    yield f"a plain eager loop made {found['plain']['plain eager loop: images/s']:,.0f} images/s"
    yield f"distaff {eager:,.0f} with its steps one by one"
    kinds = ("float32", "tf32", "bfloat16")
    rates = [one[f"1 run, graph, mixed, {kind}, repeatable: images/s"] for kind in kinds]
    yield "it made {:,.0f} in float32, {:,.0f} in tf32 and {:,.0f} in bfloat16".format(*rates)
    beside = [many[f"16 runs, branches, mixed, {kind}, repeatable: images/s"] for kind in kinds]
    yield "Sixteen runs in branches made {:,.0f}, {:,.0f} and {:,.0f} together".format(*beside)
    stacked = [many[f"64 runs, stacked, mixed, {kind}, any: images/s"] for kind in kinds]
    yield "where 64 with stacked weights made {:,.0f}, {:,.0f} and {:,.0f}".format(*stacked)
    assert all(a > b for a, b in zip(beside, stacked, strict=True))
    for count in (2, 4, 8, 16, 32):
        ways = [many[f"{count} runs, {how}, mixed, tf32, any: images/s"] for how in ("branches", "stacked")]
        assert ways[0] > ways[1]
    shares = [value for what, value in many.items() if what.endswith("share of the float32 rate")]
    yield f"The best is {max(shares):.0%} of the card's".replace("%", " %")
    yield "in float32 made {:,.0f}".format(one["1 run, graph, torch, float32, any: images/s"])
    differing = "float32, any algorithms: share of weights that differ after 60 steps"
    yield f"{found['repeats'].pop(differing):.0%} of their weights after 60 steps".replace("%", " %")
    assert [value for what, value in found["repeats"].items() if what != "on"] == [0] * 5
    days = [found["projection"][f"the study's 12,600 models, {kind}: GPU-days (< 14)"] for kind in kinds]
    assert min(days) > 14
    yield f"{len(plan('paper').runs):,} models of Locatello et al. 2019 would take {days[0]:.0f} days"
    yield f"float32, {days[1]:.0f} in tf32 and {days[2]:.0f} in bfloat16. The aim, under 14, is not met"
    largest = (RESULTS / "gpu_kernels.txt").read_text().split("\n\n")[1].split("%")[0]
    yield f"a single run takes {float(largest):.0f} % of its time"
    yield from rounded(found["precision"])


def rounded(found: dict[str, float]) -> Iterator[str]:
    """What arithmetic did to MIG."""

    def of(kind: str, seeds: int) -> tuple[float, float]:
        return found[f"{kind}: mig, mean of {seeds} seeds"], found[f"{kind}: mig, deviation over seeds"]

    assert all(
        f"{kind}, seed 100, 2500 steps: images/s of distaff.train" in found for kind in ("float32", "tf32")
    )
    exact, tf32, lower = of("float32", 3), of("tf32", 3), of("bfloat16", 2)
    assert abs(exact[0] - tf32[0]) < exact[1]
    assert abs(exact[0] - lower[0]) < exact[1]
    yield f"After 2,500 steps of beta-VAE at three seeds MIG was {exact[0]:.3f}"
    yield f"a deviation of {exact[1]:.3f} over seeds in float32, and {tf32[0]:.3f} with {tf32[1]:.3f} in tf32"
    yield f"at two seeds it was {lower[0]:.3f} with {lower[1]:.3f} in bfloat16"


def concepts() -> Iterator[str]:
    """What the lessons are, of what data, and which beta the experiments give vision."""
    data, scan = distaff.load_dataset("rooms", **ROOMS), registry.get("methods", "scan")()
    yield f"on {len(data):,} drawn rooms of {data.image_shape[1]} pixels"
    assert (scan.examples, len(Symbols().vocabulary(data).named)) == (10, 4)
    yield f"Words: {scan.concepts} concepts of one to four attributes, by ten images each"
    first, last = STRENGTH
    yield f"let it fall from {first:g} to {last:g}"


PHRASES: dict[str, Callable[[], Iterator[str]]] = {
    "README.md": readme,
    "docs/studies.md": studies,
    "docs/engine_gpu.md": gpu,
    "docs/concepts.md": concepts,
    "docs/methods_introduction.md": methods,
    "docs/metrics_introduction.md": metrics,
    "docs/honest_numbers.md": honest_numbers,
    "docs/datasets_introduction.md": datasets,
}

#: words with digits that are no measurements: names, and what commands, settings and bounds on the page say
NAMES = ("stable-baselines3", "3D Shapes", "shapes3d", "Cars3D", "MPI3D", "HDF5", "95 %", "R2")
GIVEN = {
    "README.md": (
        "TensorFlow 1.",
        "to 1e-9",  # tests/metrics/test_other_libraries.py
        "64x64",
        *("seed 0", "Seed 1", "seed 2"),  # of the demo
        "exit status 2",
        "Apache-2.0",
    ),
    "docs/concepts.md": ("arXiv:1707.03389", "sigma is 1, that of the prior", '("2 scale")'),
    "docs/engine_introduction.md": ("64 images of 64 pixels",),
    "docs/studies.md": (
        "a FactorVAE score of 0",
        "after 100 steps in float64 to within 1e-9",  # tests/training/test_many.py
    ),
    "docs/experiments_introduction.md": ("SHA-256", "pilot seeds, 100 and up"),
    "docs/methods_introduction.md": (
        "grows from 0 to 4 in 10,000 steps",
        "is 0 for 10,000 steps and 1 from then on",
        "on 1,000 random images",
        "over a batch of 64, is a ` 64 times as large",
        "A batch of 64 images is 32 pairs",
        "(m, 2)",
    ),
    "docs/metrics_introduction.md": ("H02, H05, H08, H10 and W01 to W04",),
    "docs/which_method.md": ("Papers work at 64 x 64 pixels",),
    "docs/datasets_introduction.md": ("keeps 16 evenly spaced values",),
}
CITED = re.compile(r"[A-Z]\w+ (?:et al\. |and [A-Z]\w+ )?(?:19|20)\d\d(?:, and (?:19|20)\d\d for)?")


def by_hand() -> list[str]:
    """The README, and what is written by hand of docs/ and docs/guides/."""
    made = pages_made()
    return [
        "README.md",
        *(f"docs/{path.name}" for path in sorted(DOCS.glob("*.md")) if path.name not in made),
        *(f"docs/guides/{path.name}" for path in sorted(DOCS.glob("guides/*.md"))),
    ]


PAGES = by_hand()


def prose(page: str) -> str:
    """A page in one line, without its code and the targets of its links."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^    .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`]*`", "`", text)
    return " ".join(re.sub(r"\]\([^)]*\)", "]", text).split())


@pytest.mark.parametrize("page", PAGES)
def test_every_number_is_that_of_a_results_file_or_of_the_program(page: str) -> None:
    text, phrases = prose(page), list(PHRASES.get(page, lambda: iter(()))())
    missing = [phrase for phrase in phrases if phrase not in text]
    assert not missing, f"{page} should say: {missing}"
    given = [*NAMES, *GIVEN.get(page, ())]
    for phrase in sorted([*phrases, *given], key=len, reverse=True):
        text = text.replace(phrase, "#")
    left = re.findall(r"(?:\S+ ){0,4}\S*\d\S*", CITED.sub("#", text))
    assert not left, f"numbers of {page} that come from nowhere: {left}"


@pytest.mark.parametrize("page", sorted(GIVEN))
def test_what_is_given_still_stands_there(page: str) -> None:
    text = prose(page)
    assert [phrase for phrase in GIVEN[page] if phrase not in text] == []
    assert page in PAGES


def test_a_number_from_nowhere_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "page.md").write_text("Since Higgins et al. 2017 `--steps 5` takes\n\n    sleep 9\n\nlong.")
    test_every_number_is_that_of_a_results_file_or_of_the_program("page.md")
    (tmp_path / "page.md").write_text("It takes 9 s.")
    with pytest.raises(AssertionError, match="It takes 9"):
        test_every_number_is_that_of_a_results_file_or_of_the_program("page.md")


def test_the_readme_links_to_no_finding_that_is_stale_or_wrong() -> None:
    for name in re.findall(r"\]\((docs/findings/.*?\.md)\)", (ROOT / "README.md").read_text()):
        assert not (ROOT / name).read_text().startswith("> **"), name
