"""Scores of a representation: pure functions of arrays, one file each.

Every registered metric is an attribute here: `distaff.metrics.mig(codes, factors)`.
"""

from typing import Any

from distaff import registry
from distaff.metrics.block_informativeness import block_matrix
from distaff.metrics.content_style import content_style
from distaff.metrics.dci import importance_matrix
from distaff.metrics.dictionary import dictionary_detection, dictionary_mcc, dictionary_uniqueness
from distaff.metrics.fairness import unfairness_matrix
from distaff.metrics.information import mutual_information_matrix
from distaff.metrics.interchange import interchange
from distaff.metrics.mcc import correlation_matrix
from distaff.metrics.null import permutation_null
from distaff.metrics.sap import predictability_matrix
from distaff.metrics.sparsity import reconstruction, sparsity
from distaff.metrics.unified import unified_scores

__all__ = [
    "block_matrix",
    "content_style",
    "correlation_matrix",
    "dictionary_detection",
    "dictionary_mcc",
    "dictionary_uniqueness",
    "importance_matrix",
    "interchange",
    "mutual_information_matrix",
    "permutation_null",
    "predictability_matrix",
    "reconstruction",
    "sparsity",
    "unfairness_matrix",
    "unified_scores",
    *registry.names("metrics"),
]

# A metric's file and function have one name; bound here, the function stands before the module.
# Those of one's own are not: their files may be what imports this.
_own = [name for name in registry.names("metrics") if registry.TABLES["metrics"][name].startswith(__name__)]
globals().update({name: registry.get("metrics", name) for name in _own})


def __getattr__(name: str) -> Any:
    if name in registry.names("metrics"):
        return registry.get("metrics", name)
    raise AttributeError(f"there is no metric '{name}'; there are: {', '.join(registry.names('metrics'))}")
