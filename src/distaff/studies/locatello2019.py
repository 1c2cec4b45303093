"""The study of Locatello et al. 2019, arXiv:1811.12359: six methods, fifty seeds, seven data sets."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from distaff.errors import unknown
from distaff.studies.plan import Part, Plan, chain, dataset, each, product, runs_of

DATASETS = (
    "dsprites",
    "color_dsprites",
    "noisy_dsprites",
    "scream_dsprites",
    "smallnorb",
    "cars3d",
    "shapes3d",
)
WEIGHTS = {
    "beta_vae": ("beta", (1, 2, 4, 6, 8, 16)),
    "factor_vae": ("gamma", (10, 20, 30, 40, 50, 100)),
    "dip_vae_i": ("lambda_od", (1, 2, 5, 10, 20, 50)),
    "dip_vae_ii": ("lambda_od", (1, 2, 5, 10, 20, 50)),
    "beta_tc_vae": ("beta", (1, 2, 4, 6, 8, 10)),
    "annealed_vae": ("capacity", (5, 10, 25, 50, 75, 100)),
}
METRICS = (
    "beta_vae_score",
    "factor_vae_score",
    "mig",
    "dci",
    "modularity",
    "sap",
    "downstream",
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "gaussian_wasserstein_correlation_norm",
    "code_mutual_information",
)
#: parts of the grids, evenly spaced, of 4,608 and 4,500 images, and of 18,816 and 17,280
GRIDS: dict[str, dict[str, dict[str, int]]] = {
    "nano": {
        "dsprites": {"scale": 3, "orientation": 8, "x": 8, "y": 8},
        "shapes3d": {"floor_hue": 5, "wall_hue": 5, "object_hue": 5, "scale": 3, "orientation": 3},
    },
    "small": {
        "dsprites": {"scale": 4, "orientation": 8, "x": 14, "y": 14},
        "shapes3d": {"floor_hue": 6, "wall_hue": 6, "object_hue": 6, "scale": 4, "orientation": 5},
    },
}


class Scale(NamedTuple):
    """How much of the study there is."""

    datasets: tuple[str, ...]
    strengths: tuple[int, ...]  # places among the six
    seeds: int
    steps: int
    rows: int
    resolution: int | None = None
    grid: str = ""  # which of GRIDS; whole grids without
    settings: Mapping[str, Any] = MappingProxyType({})  # of every method
    of_method: Mapping[str, dict[str, Any]] = MappingProxyType({})
    metric_options: Mapping[str, dict[str, Any]] = MappingProxyType({})
    of_means: tuple[str, ...] = ()  # metrics that sampled codes are not given


FEW_LABELS = {"downstream": {"learners": ["logistic_regression"], "sizes": [10, 100, 1000]}}
BOOSTED: dict[str, dict[str, Any]] = {
    "dci": {"learner": "lightgbm"},
    "downstream": {"learners": ["logistic_regression", "lightgbm"]},
}
#: ten times as fast as in the paper, where the VAE and FactorVAE's discriminator take steps of 1e-4 alike
QUICKER: dict[str, Any] = {
    "settings": {"learning_rate": 1e-3},
    "of_method": {
        "annealed_vae": {"gamma": 100.0},
        "factor_vae": {"discriminator_learning_rate": 1e-3, "discriminator_width": 256},
    },
}
TWO = ("dsprites", "shapes3d")
SCALES = {
    "paper": Scale(DATASETS, tuple(range(6)), 50, 300_000, 100_000),
    "desktop": Scale(
        DATASETS[:4] + DATASETS[-1:], tuple(range(6)), 10, 10_000, 20_000, resolution=32, **QUICKER
    ),
    "small": Scale(
        TWO,
        tuple(range(6)),
        6,
        5000,
        15_000,
        resolution=16,
        grid="small",
        metric_options=BOOSTED,
        of_means=tuple(BOOSTED),
        **QUICKER,
    ),
    "nano": Scale(
        TWO, (0, 2, 5), 4, 1500, 4000, resolution=16, grid="nano", metric_options=FEW_LABELS, **QUICKER
    ),
    "quick": Scale(
        TWO,
        (0, 5),
        2,
        20,
        2000,
        resolution=16,
        grid="nano",
        metric_options=FEW_LABELS | {"dci": BOOSTED["dci"]},
        **QUICKER,
    ),
}


def plan(scale: str = "paper") -> Plan:
    """Locatello et al. 2019: six methods, six strengths of each, fifty seeds, seven data sets: 12,600 models.

    Runs come in the published order: number = 1800 * data set + 50 * setting + seed at scale `paper`, with
    the settings of beta_vae, factor_vae, dip_vae_i, dip_vae_ii, beta_tc_vae and annealed_vae, six each.

    `desktop` has 32-pixel images, the five data sets that need no files, 10 seeds and 10,000 steps. `small`
    has parts of two grids at 16 pixels, of 18,816 and 17,280 images, 6 seeds and 5,000 steps; boosting is
    LightGBM's there, and of mean codes alone. `nano` has smaller parts, every method at its weakest, third
    and strongest value, 4 seeds and 1,500 steps, and at most 1,000 labels downstream; `quick` tries it out in
    minutes, with LightGBM for DCI.

    All weights are the published ones at every scale. Where images have fewer pixels than 64 x 64 the
    reconstruction is weighted by as much (4 at 32, 16 at 16 pixels), so that it stands against them as in the
    paper. Below `paper`, steps of all networks are ten times as large, 1e-3, of FactorVAE's discriminator as
    of its VAE, and that discriminator has 256 units a layer; AnnealedVAE has gamma 100 for 1000, with which
    the codes of pilots told hardly anything (benchmarks/results/pilots/locatello2019.csv).
    """
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
    size = SCALES[scale]
    settings = chain(*(_settings(method, size) for method in WEIGHTS))
    part = product(
        _datasets(size), settings, each(steps=[size.steps]), _common(size), each(seed=range(size.seeds))
    )
    return Plan(
        "locatello2019",
        scale,
        runs_of(part),
        METRICS,
        rows=size.rows,
        metric_options=dict(size.metric_options),
        of_means=size.of_means,
    )


def _datasets(size: Scale) -> Part:
    grids = GRIDS[size.grid] if size.grid else {}
    resolution = {"resolution": size.resolution} if size.resolution else {}
    return chain(*(dataset(name, **grids.get(name, {}), **resolution) for name in size.datasets))


def _common(size: Scale) -> Part:
    """What all methods are given: the reconstruction of fewer pixels weighs as much as that of 64 x 64."""
    shrunk = {"reconstruction_weight": (64 / size.resolution) ** 2} if size.resolution else {}
    return [{f"set.{name}": value for name, value in {**size.settings, **shrunk}.items()}]


def _settings(method: str, size: Scale) -> Part:
    """A method at its strengths, which are the paper's at every scale."""
    name, values = WEIGHTS[method]
    strengths = [_strength(method, values[place], size) for place in size.strengths]
    own = {f"set.{key}": value for key, value in size.of_method.get(method, {}).items()}
    return product(each(method=[method], strength=[name]), strengths, [own])


def _strength(method: str, value: float, size: Scale) -> dict[str, Any]:
    """The settings of a method that the study varies, at one of their values."""
    match method:
        case "annealed_vae":
            return {"set.capacity": f"linear:0:{value}:{size.steps // 3}"}
        case "factor_vae":  # a batch's own codes are permuted, as in disentanglement_lib
            return {"set.gamma": value, "set.second_batch": False}
        case "dip_vae_i":
            return {"set.lambda_od": value, "set.lambda_d": 10 * value}
        case "dip_vae_ii":
            return {"set.lambda_od": value, "set.lambda_d": value}
        case _:
            return {f"set.{WEIGHTS[method][0]}": value}
