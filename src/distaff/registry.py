"""Every registered thing: name -> "module:attribute".

Adding one is a new file and one line here. Its tests, its docs row, its command-line help and its place in
sweeps follow. Nothing is imported until it is asked for, so listing is quick and needs no torch.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path
from typing import Any

from distaff.errors import BadInput, unknown

TABLES: dict[str, dict[str, str]] = {
    "methods": {
        "autoencoder": "distaff.methods.autoencoder:Autoencoder",
        "vae": "distaff.methods.vae:VAE",
        "beta_vae": "distaff.methods.beta_vae:BetaVAE",
        "annealed_vae": "distaff.methods.annealed_vae:AnnealedVAE",
        "factor_vae": "distaff.methods.factor_vae:FactorVAE",
        "beta_tc_vae": "distaff.methods.beta_tc_vae:BetaTCVAE",
        "dip_vae_i": "distaff.methods.dip_vae_i:DIPVAEI",
        "dip_vae_ii": "distaff.methods.dip_vae_ii:DIPVAEII",
        "group_vae": "distaff.methods.group_vae:GroupVAE",
        "ml_vae": "distaff.methods.ml_vae:MLVAE",
        "ada_gvae": "distaff.methods.ada_gvae:AdaGVAE",
        "ada_ml_vae": "distaff.methods.ada_ml_vae:AdaMLVAE",
        "slow_vae": "distaff.methods.slow_vae:SlowVAE",
        "hfs_vae": "distaff.methods.hfs_vae:HFSVAE",
        "qlae": "distaff.methods.qlae:QLAE",
        "deep_vae": "distaff.methods.deep_vae:DeepVAE",
        "dc_ign": "distaff.methods.dc_ign:DCIGN",
        "controllable_factors": "distaff.methods.controllable_factors:ControllableFactors",
        "disbm": "distaff.methods.disbm:DisBM",
        "jmvae": "distaff.methods.jmvae:JMVAE",
        "telbo": "distaff.methods.telbo:TELBO",
        "info_gan": "distaff.methods.info_gan:InfoGAN",
        "info_wgan_gp": "distaff.methods.info_wgan_gp:InfoWGANGP",
        "scan": "distaff.methods.scan:Scan",
        "scan_operators": "distaff.methods.scan_operators:ScanOperators",
        "raw": "distaff.methods.raw:Raw",
        "pca": "distaff.methods.pca:PCA",
        "ica": "distaff.methods.ica:ICA",
        "sparse_coding": "distaff.methods.sparse_coding:SparseCoding",
    },
    "metrics": {
        name: f"distaff.metrics.{name}:{name}"
        for name in (
            "beta_vae_score",
            "factor_vae_score",
            "mig",
            "mig_exact",
            "dci",
            "dci_es",
            "med",
            "sap",
            "modularity",
            "explicitness",
            "irs",
            "action_independence",
            "action_linearity",
            "mig_sup",
            "dcimig",
            "jemmig",
            "infomec",
            "mcc",
            "linear_r2",
            "kernel_r2",
            "best_latent",
            "drvi",
            "block_informativeness",
            "block_leakage",
            "block_information",
            "sis",
            "block_mcc",
            "average_maximal_mutual_information",
            "downstream",
            "fairness",
            "gaussian_total_correlation",
            "gaussian_wasserstein_correlation",
            "gaussian_wasserstein_correlation_norm",
            "code_mutual_information",
            "udr",
            "consistency",
        )
    },
    "datasets": {
        "dsprites": "distaff.datasets.dsprites:DSprites",
        "color_dsprites": "distaff.datasets.color_dsprites:ColorDSprites",
        "noisy_dsprites": "distaff.datasets.noisy_dsprites:NoisyDSprites",
        "scream_dsprites": "distaff.datasets.scream_dsprites:ScreamDSprites",
        "smallnorb": "distaff.datasets.smallnorb:SmallNORB",
        "cars3d": "distaff.datasets.cars3d:Cars3D",
        "mpi3d_toy": "distaff.datasets.mpi3d:MPI3DToy",
        "mpi3d_realistic": "distaff.datasets.mpi3d:MPI3DRealistic",
        "mpi3d_real": "distaff.datasets.mpi3d:MPI3DReal",
        "shapes3d": "distaff.datasets.shapes3d:Shapes3D",
        "faces3d": "distaff.datasets.faces3d:Faces3D",
        "chairs3d": "distaff.datasets.chairs3d:Chairs3D",
        "rooms": "distaff.datasets.rooms:Rooms",
        "cartoon_faces": "distaff.datasets.cartoon_faces:CartoonFaces",
        "cars3d_drawn": "distaff.datasets.cars3d_drawn:Cars3DDrawn",
        "smallnorb_drawn": "distaff.datasets.smallnorb_drawn:SmallNORBDrawn",
        "one_square": "distaff.datasets.one_square:OneSquare",
        "shifted_patterns": "distaff.datasets.shifted_patterns:ShiftedPatterns",
        "collect": "distaff.datasets.collect:Collect",
        "digits": "distaff.datasets.digits:Digits",
        "turned_digits": "distaff.datasets.turned_digits:TurnedDigits",
        "svhn": "distaff.datasets.svhn:SVHN",
        "celeba": "distaff.datasets.celeba:CelebA",
    },
    "batches": {
        "images": "distaff.batches.images:Images",
        "two": "distaff.batches.two:Two",
        "pairs": "distaff.batches.pairs:Pairs",
        "transitions": "distaff.batches.transitions:Transitions",
        "one_group_varies": "distaff.batches.one_group_varies:OneGroupVaries",
        "symbols": "distaff.batches.symbols:Symbols",
        "operators": "distaff.batches.operators:Operators",
        "actions": "distaff.batches.actions:Actions",
    },
    #: options of load_dataset, the last applied first: `hide` and `held_out` leave no grid to others
    "views": {
        "hide": "distaff.datasets.views.hidden:Hidden",
        "perturb": "distaff.datasets.views.perturbed:Perturbed",
        "held_out": "distaff.datasets.views.subset:Subset",
        "correlate": "distaff.datasets.views.correlated:Correlated",
    },
    "worlds": {
        "grid": "distaff.worlds.grid:GridWorld",
        "collect": "distaff.worlds.collect:CollectWorld",
    },
    "studies": {"locatello2019": "distaff.studies.locatello2019:plan"},
    "experiments": {
        name: f"distaff.experiments.{name}:{kind}"
        for name, kind in (
            ("higgins_table", "HigginsTable"),
            ("beta_and_latents", "BetaAndLatents"),
            ("reconstruction_and_score", "ReconstructionAndScore"),
            ("beta_vae_metric_failure", "BetaVAEMetricFailure"),
            ("sparse_coding_recovery", "SparseCodingRecovery"),
            ("ica_cocktail_party", "ICACocktailParty"),
            ("autoencoder_lessons", "AutoencoderLessons"),
            ("desiderata_on_digits", "DesiderataOnDigits"),
            ("deep_latent_gaussian", "DeepLatentGaussian"),
            ("infogan_mutual_information", "InfoGANMutualInformation"),
            ("info_wgan_gp_score", "InfoWGANGPScore"),
            ("dc_ign_equivariance", "DCIGNEquivariance"),
            ("dc_ign_faces", "DCIGNFaces"),
            ("dc_ign_chairs", "DCIGNChairs"),
            ("impossibility", "Impossibility"),
            ("vae_is_pca", "VAEIsPCA"),
            ("local_structure", "LocalStructure"),
            ("hidden_structure", "HiddenStructure"),
            ("hidden_structure_strengths", "HiddenStructureStrengths"),
            ("hidden_structure_eps", "HiddenStructureEps"),
            ("capacity", "Capacity"),
            ("locality", "Locality"),
            ("elbo_decomposition", "ELBODecomposition"),
            ("correlated_factors", "CorrelatedFactors"),
            ("udr", "UDR"),
            ("tc_and_mig", "TCAndMIG"),
            ("true_total_correlation", "TrueTotalCorrelation"),
            ("metric_axes", "MetricAxes"),
            ("when_scores_mislead", "WhenScoresMislead"),
            ("noisy_or", "NoisyOR"),
            ("chairs_and_faces", "ChairsAndFaces"),
            ("scan_concepts", "ScanConcepts"),
            ("mechanisms", "Mechanisms"),
            ("scan_table", "ScanTable"),
            ("scan_curriculum", "ScanCurriculum"),
            ("controllable_factors", "ControllableFactors"),
            ("darla", "Darla"),
            ("disbm", "DisBM"),
            ("abstract_reasoning", "AbstractReasoning"),
            ("locatello2019", "Locatello2019"),
        )
    },
}


REGISTERED = "DISTAFF_REGISTERED"  # in the environment
OWN: list[str] = []  # what was registered, as `register_all` reads it
_ONE = {kind: kind[:-1] for kind in TABLES}
_ONE |= {"studies": "study", "datasets": "data set", "batches": "kind of batch"}


def names(kind: str) -> list[str]:
    """The registered names of a kind: methods, metrics, datasets, views, batches, worlds, studies or
    experiments."""
    if kind not in TABLES:
        raise unknown("kind", kind, TABLES)
    return list(TABLES[kind])


def check(kind: str, name: str) -> None:
    """An error with the nearest name where `name` is not registered."""
    if name not in names(kind):
        raise unknown(_ONE[kind], str(name), names(kind))


def get(kind: str, name: str) -> Any:
    """The registered thing itself, imported now."""
    check(kind, name)
    module, attribute = TABLES[kind][name].split(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        if f"{kind} {name} {module}:{attribute}" not in OWN:
            raise
        raise BadInput(f"{name} is registered as {module}:{attribute}: {error}") from None


def summary(kind: str, name: str) -> str:
    """The first line of a thing's docstring, read from its source without running it."""
    module, attribute = TABLES[kind][name].split(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise BadInput(f"{name} is registered as {module}, which is not installed")
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def register(kind: str, name: str, target: str) -> None:
    """Add a thing of your own, as "your_module:YourClass", under a name that is still free.

    The workers of a study know it too; see `register_all` for other processes.
    """
    if name in names(kind):
        raise BadInput(f"the {_ONE[kind]} name '{name}' is taken by {TABLES[kind][name]}")
    if ":" not in target:
        raise BadInput(f"{name} is registered as '{target}'; give your_module:YourClass")
    TABLES[kind][name] = target
    OWN.append(f"{kind} {name} {target}")


def register_all(told: str) -> None:
    """Add what DISTAFF_REGISTERED in the environment tells: KIND NAME MODULE:ATTRIBUTE, parted by ;."""
    for entry in filter(None, map(str.strip, told.split(";"))):
        if len(parts := entry.split()) != 3:
            raise BadInput(f"{REGISTERED} holds '{entry}'; give KIND NAME MODULE:ATTRIBUTE")
        if entry not in OWN:
            register(*parts)
