"""Plans: which runs a study consists of, and how each is scored.

A plan is put together from parts, lists of half-described runs: `each` makes one, `product`, `chain` and
`zipped` join them.

    betas = product(each(method=["beta_vae"]), each(**{"set.beta": [1, 4]}))
    runs = product(each(dataset=["dsprites"], steps=[1000]), betas, each(seed=range(5)))

Keys are method, dataset, steps, seed, strength (which setting the study varies), name (what the run is
called), `set.NAME` for a setting of the method and `data.NAME` for one of the data set. `method` and
`dataset` make a part of one of them with its settings.

A run may stand on another one of the plan, which is then done first: where a setting names a finished run,
"@NAME" is the run of that name with the same seed on the same data, and "@NAME/SEED" one with another seed.

    dae = product(each(name=["dae"]), method("autoencoder", corruption="masking"))
    vision = method("beta_vae", features="@dae")
    runs = product(each(dataset=["rooms"], steps=[1000]), chain(dae, vision), each(seed=range(5)))
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
from msgspec import Struct, structs

from distaff import registry
from distaff.errors import BadInput, unknown
from distaff.files import read_json
from distaff.methods.base import Method
from distaff.settings import build, identifying
from distaff.studies.metric_roles import REPRESENTATIONS

Part = list[dict[str, Any]]
KEYS = ("method", "dataset", "steps", "seed", "strength", "name")


def each(**values: Iterable[Any]) -> Part:
    """A half-described run for every combination of values, the last key varying fastest."""
    return [dict(zip(values, row, strict=True)) for row in itertools.product(*values.values())]


def method(kind: str, /, **settings: Any) -> Part:
    """A half-described run of a method with these settings."""
    return [{"method": kind} | {f"set.{key}": value for key, value in settings.items()}]


def dataset(kind: str, /, **options: Any) -> Part:
    """A half-described run on a data set with these options."""
    return [{"dataset": kind} | {f"data.{key}": value for key, value in options.items()}]


def product(*parts: Part) -> Part:
    """Every choice of one from each part, the last part varying fastest."""
    return [_joined(row) for row in itertools.product(*parts)]


def chain(*parts: Part) -> Part:
    """The parts one after the other."""
    return [one for part in parts for one in part]


def zipped(*parts: Part) -> Part:
    """The first of each part, the second of each, and so on. BadInput where lengths differ."""
    if len({len(part) for part in parts}) > 1:
        raise BadInput(f"parts of {', '.join(str(len(part)) for part in parts)} cannot be zipped")
    return [_joined(row) for row in zip(*parts, strict=True)]


def _joined(row: Sequence[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for one in row:
        for key, value in one.items():
            if key in whole and whole[key] != value:
                raise BadInput(f"a plan gives {key} twice, as {whole[key]!r} and {value!r}")
            whole[key] = value
    return whole


class PlannedRun(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """One run of a study: what it trains on what, from which seed, and which setting the study varies."""

    method: str
    settings: dict[str, Any]
    dataset: str
    options: dict[str, Any]
    steps: int
    seed: int
    strength: str = ""
    name: str = ""
    bases: dict[str, PlannedRun] = {}

    @functools.cached_property
    def made(self) -> Method:
        """The method with its settings. BadInput where they are wrong."""
        return self._made[0]

    @functools.cached_property
    def _made(self) -> tuple[Method, dict[str, Any]]:
        bases = {setting: f"@{base.id}" for setting, base in self.bases.items()}
        return _made(self.method, json.dumps(self.settings | bases))

    @functools.cached_property
    def id(self) -> str:
        """A hash of all that determines the run, defaults and bases included: 12 letters and digits."""
        facts = structs.asdict(self) | {"settings": self._made[1]}
        del facts["strength"], facts["name"], facts["bases"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def group(self) -> tuple[str, ...]:
        """What it shares with the runs that differ in nothing but their seed."""
        facts = (self.method, self.settings, self.dataset, self.options, self.steps)
        bases = itertools.chain(
            *([name, self._seed_of(base), *base.group] for name, base in sorted(self.bases.items()))
        )
        return (*(json.dumps(fact, sort_keys=True) for fact in facts), *bases)

    def _seed_of(self, base: PlannedRun) -> str:
        return "its own" if base.seed == self.seed else str(base.seed)

    @property
    def every_base(self) -> list[PlannedRun]:
        """The runs that it stands on, and those that these stand on."""
        return [each for base in self.bases.values() for each in (base, *base.every_base)]

    @property
    def depth(self) -> int:
        """How many runs must be done before it, one after the other."""
        return max((1 + base.depth for base in self.bases.values()), default=0)

    @property
    def strength_value(self) -> float:
        """The value of the varied setting, 0 without one; of a schedule the last."""
        value = getattr(self.made, self.strength) if self.strength else 0.0
        return float(value.split(":")[2]) if isinstance(value, str) else float(value)


class Plan(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """A study: its runs, and how each is scored.

    `rows` images are encoded, `representations` scored by `metrics`, values only; `metric_options` holds
    options of single metrics. Those `of_means` are not made of sampled codes. Without metrics runs are
    trained and not encoded. `udr_mates` runs of other seeds are compared with each for UDR (0: none).
    """

    name: str
    scale: str
    runs: tuple[PlannedRun, ...]
    metrics: tuple[str, ...]
    rows: int = 10_000
    representations: tuple[str, ...] = REPRESENTATIONS
    metric_options: dict[str, dict[str, Any]] = {}
    udr_mates: int = 5
    of_means: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.runs:
            raise BadInput(f"the plan of {self.name} has no runs")
        for metric in (*self.metrics, *self.of_means):
            registry.check("metrics", metric)
            check_metric(self.name, metric, self.metric_options.get(metric, {}))
        for metric in self.metric_options:
            registry.check("metrics", metric)
        for representation in self.representations:
            if representation not in REPRESENTATIONS:
                raise unknown("representation", representation, REPRESENTATIONS)
        places: dict[str, int] = {}
        for place, run in enumerate(self.runs):
            first = places.setdefault(run.id, place)
            check_strength(run)
            if first != place:
                raise BadInput(f"runs {first} and {place} of {self.name} are the same: {describe(run)}")
        for run in self.runs:
            for base in run.bases.values():
                if base.id not in places:
                    raise BadInput(f"{self.name} has a run on {describe(base)}, which it does not have")

    def metrics_of(self, representation: str) -> list[str]:
        """The metrics that score one of the representations."""
        apart = () if representation == "mean" else self.of_means
        return [metric for metric in self.metrics if metric not in apart]

    @functools.cached_property
    def by_id(self) -> dict[str, PlannedRun]:
        """The runs by their id, in the plan's order."""
        return {run.id: run for run in self.runs}

    @property
    def waves(self) -> list[list[PlannedRun]]:
        """The runs that stand on none, those that stand on these, and so on."""
        deepest = max(run.depth for run in self.runs)
        return [[run for run in self.runs if run.depth == depth] for depth in range(deepest + 1)]

    def mates(self, run: PlannedRun) -> list[PlannedRun]:
        """The next `udr_mates` runs with other seeds and nothing else different, in a circle."""
        group = self._groups[run.group]
        place = group.index(run)
        return (group[place + 1 :] + group[:place])[: self.udr_mates]

    def shorter(self, run: PlannedRun) -> list[PlannedRun]:
        """The runs that are the beginning of a run, of fewer steps and else the same, longest first."""
        if run.made.fitted:
            return []
        same = self._lengths.get(_at_no_steps(run), [])
        return sorted((each for each in same if each.steps < run.steps), key=lambda each: -each.steps)

    @functools.cached_property
    def _lengths(self) -> dict[str, list[PlannedRun]]:
        found: dict[str, list[PlannedRun]] = {}
        if len({run.steps for run in self.runs}) > 1:
            for run in self.runs:
                found.setdefault(_at_no_steps(run), []).append(run)
        return found

    @functools.cached_property
    def _groups(self) -> dict[tuple[str, ...], list[PlannedRun]]:
        groups: dict[tuple[str, ...], list[PlannedRun]] = {}
        for run in self.runs:
            groups.setdefault(run.group, []).append(run)
        return groups


def check_metric(study: str, metric: str, options: Mapping[str, Any]) -> None:
    """BadInput for a metric that needs what a study has not, and for options that it does not take."""
    function = registry.get("metrics", metric)
    if others := [need for need in function.declaration.needs if need != "factors"]:
        raise BadInput(
            f"{metric} needs {' and '.join(others)}, which a study does not give; leave it out of {study}"
        )
    taken = [name for name in inspect.signature(function).parameters if name not in ("codes", "factors")]
    for name in options:
        if name not in taken:
            raise unknown(f"option of {metric}", name, taken)


def check_strength(run: PlannedRun) -> None:
    """BadInput where the setting that a study varies is none of the method's, or no number."""
    fields = [field.name for field in dataclasses.fields(run.made)]
    if run.strength and run.strength not in fields:
        raise unknown(f"strength of {run.method}", run.strength, fields)
    try:
        _ = run.strength_value
    except (ValueError, TypeError, IndexError):
        value = getattr(run.made, run.strength)
        raise BadInput(
            f"strength={run.strength!r} of {run.method} is {value!r}, and must be a number"
        ) from None


def _at_no_steps(run: PlannedRun) -> str:
    """What a run has in common with those that differ in their steps alone."""
    return structs.replace(run, steps=0).id


def read_plan(folder: Path) -> Plan:
    """The plan of the study in a folder."""
    path = folder / "plan.json"
    if not path.exists():
        raise BadInput(
            f"{folder} holds no study; `distaff study run NAME --out {quote(str(folder))}` starts one"
        )
    plan: Plan = read_json(path, Plan)
    return plan


@functools.lru_cache(maxsize=10_000)  # studies give the same settings to many seeds and data sets
def _made(method: str, settings: str) -> tuple[Method, dict[str, Any]]:
    made: Method = build(registry.get("methods", method), json.loads(settings), method)
    return made, identifying(made)


def runs_of(part: Part) -> tuple[PlannedRun, ...]:
    """The runs that a part describes. BadInput where a key, or a run that is named as a base, is missing."""
    return tuple(with_bases([_run(one) for one in part]))


def with_bases(runs: Sequence[PlannedRun]) -> Iterator[PlannedRun]:
    """The runs, where a setting is "@NAME" with the run of that name as their base."""
    named: dict[str, list[PlannedRun]] = {}
    for run in runs:
        named.setdefault(run.name, []).append(run)

    def whole(run: PlannedRun, above: tuple[PlannedRun, ...] = ()) -> PlannedRun:
        if run in above:
            raise BadInput(f"a plan has a run that stands on itself: {describe(run)}")
        settings, bases = dict(run.settings), dict(run.bases)
        for setting in registry.get("methods", run.method).base_settings():
            given = str(settings.get(setting.name, ""))
            if given.startswith("@"):
                bases[setting.name] = whole(_named(named, given, run), (*above, run))
                del settings[setting.name]
        return structs.replace(run, settings=settings, bases=bases)

    return map(whole, runs)


def _named(named: Mapping[str, Sequence[PlannedRun]], given: str, above: PlannedRun) -> PlannedRun:
    """The run on the same data that "@NAME" or "@NAME/SEED" says."""
    name, _, seed = given.removeprefix("@").partition("/")
    if name not in named or not name:
        raise unknown("run of a plan", name, filter(None, named))
    data = (above.dataset, above.options)
    wanted = int(seed) if seed.isdecimal() else above.seed
    found = [run for run in named[name] if (run.dataset, run.options) == data and run.seed == wanted]
    if len(found) != 1:
        raise BadInput(
            f"{given} is not one run of the plan: {len(found)} are called {name} with seed {wanted} on "
            f"{above.dataset} as of {describe(above)}"
        )
    return found[0]


def _python(value: Any) -> Any:
    """A value of NumPy's as Python's."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _run(one: dict[str, Any]) -> PlannedRun:
    known = {key: _python(value) for key, value in one.items() if key in KEYS}
    inner: dict[str, dict[str, Any]] = {"set": {}, "data": {}}
    for key, value in one.items():
        kind, dot, name = key.partition(".")
        if dot and kind in inner:
            inner[kind][name] = _python(value)
        elif key not in KEYS:
            raise unknown("key of a plan", key, [*KEYS, "set.NAME", "data.NAME"])
    missing = [key for key in KEYS[:4] if key not in known]
    if missing:
        raise BadInput(f"a plan does not say the {', '.join(missing)} of a run; it says: {', '.join(one)}")
    return PlannedRun(settings=inner["set"], options=inner["data"], **known)


def describe(run: PlannedRun) -> str:
    """A run in a few words."""
    settings = "".join(f" {key}={value}" for key, value in run.settings.items())
    return f"{run.method}{settings} on {run.dataset}, seed {run.seed}"
