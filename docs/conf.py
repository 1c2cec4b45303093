"""How `make site` builds the static site of docs/ with Sphinx: nothing is loaded from the network."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from docstrings import as_restructured

project = "distaff"
author = "the distaff authors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["*_introduction.md", "engine_gpu.md"]  # they open the pages that `make docs` writes
html_theme = "furo"
html_title = "distaff"
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 3  # so that links such as methods.md#scan are checked
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

# importing distaff.training must not start threads or look for a GPU while pages are made
os.environ.setdefault("OMP_NUM_THREADS", "1")


def setup(app: Any) -> None:
    """Docstrings are plain text with backquotes; Sphinx wants reStructuredText."""
    app.connect("autodoc-process-docstring", lambda *given: as_restructured(given[-1]))
