"""Who may import whom, and what must not be imported at all."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import distaff

HOUSE = Path(distaff.__file__).parent
SMALL = {
    "errors",
    "settings",
    "registry",
    "interrupt",
    "started",
    "files",
    "machine",
    "progress",
    "randomness",
    "schedules",
    "tables",
}
MAY_IMPORT = {
    "errors": set(),
    "registry": {"errors"},
    "schedules": {"errors"},
    "settings": {"errors", "schedules"},
    "files": {"errors", "interrupt"},
    "tables": {"errors", "files"},
    "progress": set(),
    "machine": set(),
    "interrupt": set(),
    "started": set(),
    "randomness": set(),
    "factors": {"errors", "settings"},
    "concepts": {"errors", "factors"},
    "metrics": SMALL | {"factors"},
    "drawing": SMALL,
    "datasets": SMALL | {"factors", "drawing"},
    "worlds": SMALL | {"factors", "datasets"},
    "batches": SMALL | {"factors", "concepts", "datasets"},
    "networks": SMALL,
    "methods": SMALL | {"concepts", "networks", "batches"},
    "scoring": SMALL | {"factors", "metrics"},
}
MAY_IMPORT["training"] = SMALL | {"factors", "concepts", "datasets", "batches", "networks", "methods"}
MAY_IMPORT["evaluation"] = MAY_IMPORT["training"] | {"worlds", "training", "metrics", "scoring"}
MAY_IMPORT["pages"] = MAY_IMPORT["evaluation"] | {"evaluation"}
MAY_IMPORT["studies"] = MAY_IMPORT["pages"] | {"pages"}
MAY_IMPORT["experiments"] = MAY_IMPORT["studies"] | {"studies"}
MAY_IMPORT["testing"] = SMALL | {"factors", "concepts", "batches", "methods", "metrics", "scoring"}
MAY_IMPORT["__main__"] = {"cli"}
MAY_IMPORT["cli"] = MAY_IMPORT["experiments"] | {"experiments", "testing"}


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [node.module or ""]
            if node.module == "distaff":
                modules = [f"distaff.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        found |= {m.split(".")[1] for m in modules if m.startswith("distaff.")}
    return found - {"__version__"}


def name_of(path: Path) -> str:
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_files(path: Path, names: set[str]) -> set[str]:
    """The modules among `names` that a file imports, wherever in it, and whatever for."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {each if each in names else str(node.module) for each in whole}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & names


def test_no_file_imports_itself_by_way_of_others() -> None:
    paths = {name_of(path): path for path in HOUSE.rglob("*.py")}
    graph = {name: imported_files(path, set(paths)) - {name} for name, path in paths.items()}
    assert sum(map(len, graph.values())) > 500
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_imports_go_one_way() -> None:
    files = [path for path in HOUSE.rglob("*.py") if path != HOUSE / "__init__.py"]
    assert len(files) > 20
    for path in files:
        room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
        assert imported_rooms(path) - {room} <= MAY_IMPORT[room], path


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines())


def test_import_and_help_need_nothing_heavy() -> None:
    heavy = {"torch", "sklearn", "pandas", "matplotlib", "scipy"}
    assert not heavy & loaded_after("import distaff")
    code = (
        "sys.argv = ['distaff', '--help']\nfrom distaff import cli\ntry: cli.main()\nexcept SystemExit: pass"
    )
    assert not (heavy | {"numpy"}) & loaded_after(code)


def test_metrics_never_import_torch() -> None:
    code = (
        "import numpy as np, distaff\nrng = np.random.default_rng(0)\n"
        "distaff.score(rng.random((300, 3)), rng.integers(3, size=(300, 2)))"
    )
    assert "torch" not in loaded_after(code)


def test_no_pickle_anywhere() -> None:
    for path in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                assert not names & {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}, path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in {("torch", "load"), ("torch", "save")}, path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert getattr(node.value, "value", None) is False, path
