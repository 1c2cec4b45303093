"""Did a change move a number? Fingerprints of weights, codes, scores and tables, by the public API.

    python benchmarks/fingerprints.py record before.json --runs FOLDER   on the old code, then on the new
    python benchmarks/fingerprints.py compare before.json after.json     what moved, by name
    python benchmarks/fingerprints.py extend again.json --runs FOLDER    goes on with the runs in FOLDER

Record both on one machine and with one thread: the last bit of a sum depends on both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from safetensors.numpy import load_file

import distaff
from distaff import registry
from distaff.studies.locatello2019 import plan as locatello2019
from distaff.studies.plan import Plan, chain, each, product, runs_of
from distaff.studies.study import Study
from distaff.testing import SITUATIONS, SPACE

STEPS, MORE = 50, 60
DATA: dict[str, tuple[str, dict[str, Any]]] = {
    "dsprites": ("dsprites", {"resolution": 16, "x": 8, "y": 8, "orientation": 8}),
    "rooms": ("rooms", {"resolution": 16, "wall_colour": 3, "floor_colour": 2, "object_colour": 2}),
}
SMALL = {"batch_size": 16}
FITTED = {
    "raw": {},
    "pca": {"latents": 5},
    "ica": {"latents": 5},
    "sparse_coding": {"latents": 8, "passes": 1},
}
LABELLED = {"label_loss": "squared", "labelled_images": 50}
LABELLERS = {"cross_entropy": "perfect", "squared": "noisy", "covariance": "permuted", "embedding": "binned"}
#: settings beside the defaults whose code differs
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "autoencoder": [
        {"network": "linear", "tied": True, "output": "linear", "likelihood": "gaussian"},
        {"sparsity": "kl", "activation": "sigmoid"},
        {"sparsity": "l1", "corruption": "masking"},
        {"corruption": "gaussian"},
    ],
    "vae": [
        {"likelihood": "gaussian"},
        *(LABELLED | {"label_loss": loss, "labeller": labeller} for loss, labeller in LABELLERS.items()),
    ],
    "beta_vae": [{"beta": "linear:0:4:30", "network": "fc"}],
    "beta_tc_vae": [{"sampling": "stratified"} | LABELLED],
    "factor_vae": [{"second_batch": False} | LABELLED],
    "group_vae": [{"changed_factors": 1} | LABELLED],
    "ml_vae": [{"changed_factors": 2}],
    "deep_vae": [{"layers": 1}, {"layers": 3}],
    "dc_ign": [{"latents": 12}],
    "info_gan": [{"network": "fc", "categorical": 2, "categories": 3}],
}


#: the runs whose codes and scores are looked at, and those whose likelihood is
SCORED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("dsprites", "beta_vae", SMALL),
    ("rooms", "deep_vae", SMALL | {"layers": 3}),
    ("dsprites", "vae", SMALL | {"likelihood": "gaussian"}),
    ("rooms", "ada_gvae", SMALL),
    ("dsprites", "info_gan", SMALL),
    ("rooms", "pca", FITTED["pca"] | {"images": 300}),
)
WITH_LIKELIHOOD = SCORED[:3]


def digest(value: Any) -> str:
    if isinstance(value, np.ndarray):
        data = f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    else:
        data = json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()[:16]


def of_file(path: Path) -> str:
    return digest({name: digest(value) for name, value in load_file(path).items()})


def of_run(run: Any) -> dict[str, str]:
    lines = [{k: v for k, v in line.items() if k != "images_per_second"} for line in run.history()]
    found = {"model": of_file(run.folder / "model.safetensors"), "history": digest(lines)}
    checkpoint = run.folder / "checkpoint.safetensors"
    return found | ({"checkpoint": of_file(checkpoint)} if checkpoint.exists() else {})


def cases() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for method in registry.names("methods"):
        common = FITTED[method] | {"images": 300} if method in FITTED else SMALL
        found += [(method, common | variant) for variant in ({}, *VARIANTS.get(method, []))]
    return found


def folder_of(runs: Path, data: str, method: str, settings: dict[str, Any]) -> Path:
    return runs / f"{data}-{method}-{digest(settings)[:6]}"


def weights(runs: Path, steps: int) -> dict[str, Any]:
    found = {}
    for name, (data, options) in DATA.items():
        loaded = distaff.load_dataset(data, **options)
        for method, settings in cases():
            run = trained(runs, (name, loaded), method, settings, steps)
            found |= {f"{run.folder.name} {key}": value for key, value in of_run(run).items()}
    return found


def trained(runs: Path, data: tuple[str, Any], method: str, settings: dict[str, Any], steps: int) -> Any:
    """A run on data of a name, which stands, where it must, on runs of the first methods that it may."""
    bases = {
        base: trained(runs, data, allowed[0], SMALL, steps).folder
        for base, allowed, needed in registry.get("methods", method).base_settings()
        if needed
    }
    given = {"steps": steps, "seed": 1, "threads": 1, "device": "cpu", "show": False} | settings | bases
    return distaff.train(method, data[1], out=folder_of(runs, data[0], method, settings), **given)


def cards(runs: Path) -> dict[str, Any]:
    """The scores, codes and likelihoods of some runs."""
    from distaff.evaluation.posterior import likelihood

    found: dict[str, Any] = {}
    for data, method, settings in SCORED:
        run = distaff.load_run(folder_of(runs, data, method, settings))
        for representation in ("mean", "sampled"):
            card = distaff.evaluate(run, rows=500, seed=0, representation=representation, show=False)
            found |= of_card(f"{run.folder.name} {representation}", card)
        with np.load(run.folder / "encoding.npz") as arrays:
            found |= {f"{run.folder.name} codes {name}": digest(arrays[name]) for name in arrays}
        found[f"{run.folder.name} normalised beta"] = run.normalised_beta
    for data, method, settings in WITH_LIKELIHOOD:
        bounds = likelihood(folder_of(runs, data, method, settings), images=50, samples=5)
        found |= {f"{data} {method} likelihood {key}": bounds[key] for key in ("elbo", "bound")}
    return found


def of_card(name: str, card: Any) -> dict[str, Any]:
    found = {}
    for score, each_ in card.scores.items():
        numbers = {key: getattr(each_, key) for key in ("value", "low", "high", "chance", "ceiling")}
        found |= {f"{name} {score} {key}": number for key, number in numbers.items()}
        found[f"{name} {score} reason"] = each_.reason
    found[f"{name} health"] = [[finding.code, finding.message] for finding in card.health]
    return found


def constructions() -> dict[str, Any]:
    """Cards of constructed codes: all situations, with and without log-variances, mates, real factors."""
    found: dict[str, Any] = {}
    factors = SPACE.sample(1000, 0)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    rng = np.random.default_rng(2)
    noisy = ideal + 0.3 * rng.standard_normal(ideal.shape)
    made = {name: make(ideal, np.random.default_rng(1)) for name, make in SITUATIONS.items()}
    for name, codes in made.items():
        found |= of_card(name, distaff.score(codes, factors, values_only=True))
    more = {"logvar": np.full(noisy.shape, -4.0), "mates": [-noisy[:, ::-1], made["rotated"]]}
    more["mates_logvar"] = [np.full(noisy.shape, -3.0), np.full(noisy.shape, 1.0)]
    found |= of_card("noisy", distaff.score(noisy, factors, **more, seed=3))
    real = np.concatenate([factors, rng.standard_normal((len(factors), 1))], axis=1)
    found |= of_card("real", distaff.score(noisy, real, continuous=[4]))
    learners = {"learners": ["logistic_regression"], "sizes": [10, 100]}
    slow: dict[str, dict[str, Any]] = {"downstream": learners, "infomec": {}, "fairness": {}}
    for metric, options in slow.items():
        value = registry.get("metrics", metric)(noisy[:400], factors[:400] % 3, **options)
        found[f"slow {metric}"] = [v if isinstance(v, str | None) else float(v) for v in value]
    many = SPACE.sample(15_000, 1)
    codes = many + 0.5 * rng.standard_normal(many.shape)
    metrics = ["mig", "modularity", "irs", "factor_vae_score"]
    found |= of_card("protocol", distaff.score(codes, many, metrics=metrics, protocol="locatello2019"))
    return found


def tiny_plan() -> Plan:
    grid = {"data.resolution": [16], "data.x": [4], "data.y": [4], "data.orientation": [2], "data.scale": [2]}
    common = product(
        each(dataset=["dsprites"], steps=[20], **grid), each(**{"set.batch_size": [8], "set.latents": [4]})
    )
    methods = chain(
        each(method=["beta_vae"], strength=["beta"], **{"set.beta": [1.0, 4.0]}),
        each(method=["vae"], strength=[""], **{"set.likelihood": ["bernoulli", "gaussian"]}),
        each(method=["deep_vae"], strength=["layers"], **{"set.layers": [2]}),
        each(method=["factor_vae"], strength=["gamma"], **{"set.gamma": [10.0]}),
    )
    metrics = ("mig", "dci", "sap", "beta_vae_score", "downstream")
    options = {"downstream": {"learners": ["logistic_regression"], "sizes": [10]}}
    runs = runs_of(product(common, methods, each(seed=range(2))))
    return Plan("tiny", "test", runs, metrics, 96, metric_options=options)


def study(folder: Path) -> dict[str, Any]:
    made = Study(folder / "tiny", tiny_plan())
    made.run(workers=1, show=False)
    table = made.results()
    rows = table.itertuples(index=False)
    found = {f"study {row.run} {row.representation} {row.metric}": row.value for row in rows}
    for scale in ("paper", "desktop", "nano"):
        found[f"ids {scale}"] = digest([run.id for run in locatello2019(scale).runs])
    return found


def record(out: Path, runs: Path) -> None:
    found = {"ids of runs": digest([run.id for run in tiny_plan().runs])}
    for part in (lambda: weights(runs, STEPS), lambda: cards(runs), constructions, lambda: study(runs)):
        found |= part()
        print(len(found), file=sys.stderr, flush=True)
    out.write_text(json.dumps(found, indent=0, default=float))


def compare(before: Path, after: Path) -> int:
    old, new = (json.loads(path.read_text()) for path in (before, after))
    moved = [name for name in old.keys() & new.keys() if repr(old[name]) != repr(new[name])]
    for name in sorted(moved):
        print(f"moved: {name}: {old[name]} -> {new[name]}")
    for what, names in (("gone", old.keys() - new.keys()), ("new", new.keys() - old.keys())):
        for name in sorted(names):
            print(f"{what}: {name}")
    print(f"{len(old.keys() & new.keys()) - len(moved)} equal, {len(moved)} moved")
    return bool(moved)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("record", "extend", "compare"))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=Path, default=None)
    given = parser.parse_args()
    if given.what == "compare":
        sys.exit(compare(*given.files))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["DISTAFF_DATA"] = scratch  # no chance level from an older cache
        runs = given.runs or Path(scratch) / "runs"
        if given.what == "record":
            record(given.files[0], runs)
        else:
            found = weights(runs, MORE)
            given.files[0].write_text(json.dumps(found, indent=0))


if __name__ == "__main__":
    main()
