"""The study of Locatello et al. 2019, arXiv:1811.12359: six methods, fifty seeds, seven data sets."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from distaff.errors import unknown
from distaff.studies.plan import Part, Plan, chain, each, product, runs_of, zipped

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
SMALL_GRID = {
    "dsprites": {"scale": 3, "orientation": 8, "x": 8, "y": 8},
    "shapes3d": {"floor_hue": 5, "wall_hue": 5, "object_hue": 5, "scale": 3, "orientation": 3},
}


class Scale(NamedTuple):
    """How much of the study there is. Weights are multiplied by `weight`, as images have fewer pixels."""

    datasets: tuple[str, ...]
    strengths: tuple[int, ...]  # places among the six
    seeds: int
    steps: int
    rows: int
    resolution: int | None = None
    weight: float = 1.0
    settings: Mapping[str, Any] = MappingProxyType({})
    capacity_gamma: float = 1000.0
    metric_options: Mapping[str, dict[str, Any]] = MappingProxyType({})


SMALLER: dict[str, Any] = {
    "resolution": 32,
    "weight": 0.25,  # 32 x 32 pixels for 64 x 64
    "settings": {"learning_rate": 1e-3},
    "capacity_gamma": 25.0,  # a larger one takes over Adam in so few steps
}
FEW_LABELS = {"downstream": {"learners": ["logistic_regression"], "sizes": [10, 100, 1000]}}
SCALES = {
    "paper": Scale(DATASETS, tuple(range(6)), 50, 300_000, 100_000),
    "desktop": Scale(DATASETS[:4] + DATASETS[-1:], tuple(range(6)), 10, 10_000, 20_000, **SMALLER),
    "nano": Scale(("dsprites", "shapes3d"), (0, 2, 5), 4, 1500, 4000, metric_options=FEW_LABELS, **SMALLER),
    "quick": Scale(("dsprites", "shapes3d"), (0, 5), 2, 20, 2000, metric_options=FEW_LABELS, **SMALLER),
}
NARROW_DISCRIMINATOR = 256  # units a layer, where images are small


def plan(scale: str = "paper") -> Plan:
    """Locatello et al. 2019: six methods, six strengths of each, fifty seeds, seven data sets: 12,600 models.

    Runs come in the published order: number = 1800 * data set + 50 * setting + seed at scale `paper`, with
    the settings of beta_vae, factor_vae, dip_vae_i, dip_vae_ii, beta_tc_vae and annealed_vae, six each.
    `desktop` has 32-pixel images, the five data sets that need no files, 10 seeds and 10,000 steps. `nano`
    has sub-grids of two data sets, every method at its weakest, third and strongest value, 4 seeds and 1,500
    steps, and at most 1,000 labels downstream; `quick` tries it out in minutes. At 32 pixels all weights are
    a quarter of the paper's, as there are a quarter of the pixels.
    """
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
    size = SCALES[scale]
    settings = chain(*(_settings(method, size) for method in WEIGHTS))
    common = each(steps=[size.steps], **{f"set.{key}": [value] for key, value in size.settings.items()})
    part = product(_datasets(scale, size), settings, common, each(seed=range(size.seeds)))
    return Plan(
        "locatello2019",
        scale,
        runs_of(part),
        METRICS,
        rows=size.rows,
        metric_options=dict(size.metric_options),
    )


def _datasets(scale: str, size: Scale) -> Part:
    options = {name: SMALL_GRID[name] if scale in ("quick", "nano") else {} for name in size.datasets}
    part: Part = [
        {"dataset": name} | {f"data.{key}": value for key, value in options[name].items()}
        for name in size.datasets
    ]
    return product(part, each(**{"data.resolution": [size.resolution]})) if size.resolution else part


def _settings(method: str, size: Scale) -> Part:
    """A method at its strengths."""
    name, values = WEIGHTS[method]
    weights = [values[place] * size.weight for place in size.strengths]
    part = each(method=[method], strength=[name])
    if method == "annealed_vae":  # nats do not depend on pixels
        ends = [f"linear:0:{values[place]}:{size.steps // 3}" for place in size.strengths]
        capacities = each(**{"set.capacity": ends})
        return product(part, capacities, each(**{"set.gamma": [size.capacity_gamma]}))
    strengths = each(**{f"set.{name}": weights})
    if method.startswith("dip_vae"):
        times = 10 if method == "dip_vae_i" else 1
        strengths = zipped(strengths, each(**{"set.lambda_d": [times * weight for weight in weights]}))
    if method == "factor_vae":
        narrow = {"set.discriminator_width": [NARROW_DISCRIMINATOR]} if size.resolution else {}
        strengths = product(strengths, each(**{"set.second_batch": [False]}, **narrow))
    return product(part, strengths)
