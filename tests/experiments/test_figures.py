"""What experiments draw themselves is there for those who do not see it, as a table below each figure."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn import quantities, untold
from matplotlib.figure import Figure

import distaff
from distaff.experiments import (
    beta_and_latents,
    capacity,
    controllable_factors,
    darla,
    desiderata_on_digits,
    elbo_decomposition,
    hidden_structure_eps,
    hidden_structure_strengths,
    ica_cocktail_party,
    impossibility,
    local_structure,
    locality,
    scan_curriculum,
    sparse_coding_recovery,
    tc_and_mig,
    true_total_correlation,
    udr,
)
from distaff.factors import FactorSpace
from distaff.methods.base import Codes
from distaff.pages import parts
from distaff.pages.figures import Plot

PACKAGE = Path(distaff.__file__).parent
MAKERS = ("Plot", "axes", "panels")  # of a figure that someone draws into
RNG = np.random.default_rng(0)


def crossed(columns: list[str], *values: list[Any], **numbers: list[str]) -> pd.DataFrame:
    """A row for every choice of `values`, the last the fastest, and numbers 0..1 in more columns."""
    table = pd.MultiIndex.from_product(values, names=columns).to_frame(index=False)
    return table.assign(**{name: RNG.random(len(table)) for name in numbers.get("drawn", [])})


def worlds() -> Plot:
    data = distaff.load_dataset("dsprites", resolution=16, shape=[1], orientation=1, scale=[2])
    z = RNG.random((len(data), 2))
    scores = np.array([[0.75, 0.125], [0.25, 0.5]])
    return impossibility._worlds(data, {"A": z, "B": z[:, ::-1]}, scores)


def planes() -> Plot:
    space, two = FactorSpace(("x", "y"), (3, 3)), RNG.random((2, 9, 4))
    policies = RNG.dirichlet(np.ones(4), size=(2, 9, 4))
    return controllable_factors.planes(
        [controllable_factors.Learned(space, *each) for each in zip(two, policies, strict=True)]
    )


def structure() -> Plot:
    points, codes = RNG.random((9, 2)), RNG.random((4, 9, 2))
    kinds = zip(("linear", "non-linear"), codes[:2], codes[2:], strict=True)
    return local_structure._picture(
        {name: [local_structure.Found(points, each, 0.5, 0.5) for each in seeds] for name, *seeds in kinds}
    )


def nets() -> Plot:
    grid = FactorSpace(("x", "y"), (3, 4)).rows(np.arange(12))
    return locality._nets({name: RNG.random((12, 2)).astype(np.float32) for name in ("a", "b")}, grid)


def specificities() -> Plot:
    steps, sigmas = np.array([1, 5, 10]), RNG.random((3, 3))
    after = [Codes(sigmas[:1], sigmas[:1], None)] * 2
    return scan_curriculum.lines(scan_curriculum.Taught(steps, sigmas, after), ["wall_colour", "", "object"])


def eps() -> Plot:
    local, whole = hidden_structure_eps.LOCAL, hidden_structure_eps.GLOBAL
    in_data = crossed(["eps", "factor"], [0.1, 0.2], ["s", "x", "y"], drawn=[local, whole])
    in_code = crossed(["eps", "seed"], [0.1, 0.2], [0], drawn=["s", "x", "y"])
    return hidden_structure_eps._picture(in_data, in_code)


def agents() -> Plot:
    drawn = crossed(["agent", "seed"], [*darla.AGENTS], [0, 1], drawn=[darla.SOURCE, darla.TARGET])
    return darla.returns(drawn.assign(best=2.5))


def strengths() -> Plot:
    cases = [["vae", "beta_vae"], ["original", "perturbed"], [1.0, 2.0]]
    one_seed = crossed(["method", "data", "strength"], *cases, drawn=["active"])
    return hidden_structure_strengths._picture(one_seed.assign(mig=0.25))


def biases() -> Plot:
    parts_, kinds = [*elbo_decomposition.PARTS], [*elbo_decomposition.COLUMNS]
    return elbo_decomposition._biases(crossed(["part", "batch"], parts_, [64, 256], drawn=kinds))


def totals() -> Plot:
    table = crossed(["data", "gamma", "steps"], ["shapes"], [0, 4], [10, 20], drawn=["true", "said"])
    return true_total_correlation.lines(table.assign(method="factor_vae"))


def circles() -> Plot:
    named = ["vae", "beta_vae", "beta_tc_vae"]
    drawn = ["total_correlation", "mig"]
    table = crossed(["data", "method", "strength"], ["faces"], named, [1, 4], drawn=drawn)
    return tc_and_mig.circles(table[(table["method"] == "vae") == (table["strength"] == 1)])


def constraints() -> Plot:
    drawn = ["normalised beta", "reconstruction", "score"]
    return beta_and_latents._picture(crossed(["latents", "seed"], [2, 5], [0, 1], drawn=drawn))


def by_tsne() -> Plot:
    classes = [n % 10 for n in range(30)]
    return desiderata_on_digits._view({"classes": classes, "tsne": RNG.random((30, 2)).tolist()})


#: every figure that an experiment draws itself, of small tables, and the numbers of its axes and rules
DRAWN: dict[str, tuple[Callable[[], Any], list[float]]] = {
    "beta_and_latents._picture": (constraints, []),
    "capacity._apart": (
        lambda: capacity._apart(crossed(["C", "seed", "step"], [4, 10], [0, 1], [5], drawn=[capacity.APART])),
        [0.5],
    ),
    "controllable_factors.planes": (planes, []),
    "darla.returns": (agents, [place + side for place in range(4) for side in (-0.2, 0.2)]),
    "desiderata_on_digits._view": (by_tsne, []),
    "elbo_decomposition._biases": (biases, []),
    "hidden_structure_eps._picture": (eps, []),
    "hidden_structure_strengths._picture": (strengths, []),
    "ica_cocktail_party._waves": (lambda: ica_cocktail_party._waves("laplace", shown=5), []),
    "impossibility._worlds": (worlds, []),
    "local_structure._picture": (structure, []),
    "locality._nets": (nets, []),
    "scan_curriculum.lines": (specificities, [5.0, 10.0]),
    "tc_and_mig.circles": (circles, []),
    "true_total_correlation.lines": (totals, []),
    "udr._cloud": (lambda: udr._cloud(pd.DataFrame(RNG.random((5, 2)), columns=["mig", "udr"])), []),
}


def made_in(folder: str, makers: tuple[str, ...]) -> set[str]:
    """MODULE.FUNCTION of all that make a figure to draw into."""
    sources = [(path.stem, path.read_text()) for path in (PACKAGE / folder).rglob("*.py")]
    return {
        f"{module}.{function.name}"
        for module, text in sources
        if any(f"{maker}(" in text for maker in makers)
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
    }


def test_every_figure_that_an_experiment_draws_itself_is_looked_at() -> None:
    assert made_in("experiments", MAKERS) == set(DRAWN)
    assert not made_in("studies", MAKERS) | made_in("evaluation", MAKERS)


def test_a_figure_that_is_no_plot_shows_pictures() -> None:
    """Grids of images, for which their titles stand; whatever else is drawn tells its numbers."""
    pictures = {"images.image_grid", "images.one_picture", "matrix_figure.matrix_figure"}
    assert made_in(".", ("Figure",)) == pictures


@pytest.mark.parametrize("name", DRAWN)
def test_what_a_figure_draws_its_table_says(name: str) -> None:
    draw, beside = DRAWN[name]
    figure = draw()
    assert isinstance(figure, Plot)
    assert figure.numbers is not None
    assert len(figure.numbers)
    assert quantities(figure), "nothing is drawn"
    assert untold(figure, beside) == []
    text = parts.drawing("What it shows", figure)
    assert 'role="img" aria-label="What it shows"' in text
    assert text.count('<details class="numbers">') == 1


def test_maps_tell_the_features_and_where_policies_lead() -> None:
    figure = planes()
    shown = [image.get_array() for ax in figure.axes for image in ax.images]
    arrows = [cloud for ax in figure.axes for cloud in ax.collections]
    groups = figure.numbers.groupby(["seed", "feature"])
    assert len(shown) == len(arrows) == len(groups) == 8
    for image, arrow, (_, rows) in zip(shown, arrows, groups, strict=True):
        for row, right, down in zip(rows.itertuples(index=False), arrow.U, arrow.V, strict=True):
            assert row[2:] == (row.x, row.y, image[row.y, row.x], right, down)


def test_colours_of_points_are_told_too() -> None:
    figure = structure()
    shown = [cloud.get_array() for ax in figure.axes for cloud in ax.collections]
    np.testing.assert_array_equal(np.transpose(shown), figure.numbers.iloc[:, 2:])


def test_every_figure_of_an_experiment_has_a_title() -> None:
    """It is the text that stands for the figure."""
    titles = [
        node.args[0]
        for path in (PACKAGE / "experiments").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "figure"
    ]
    assert len(titles) > 50
    assert all(ast.unparse(title).strip("f'\"") for title in titles)


def test_a_sheet_of_pictures_has_them_in_rows() -> None:
    figure = sparse_coding_recovery._drawn(RNG.random((32, 144)))
    assert type(figure) is Figure
    (image,) = figure.axes[0].images
    assert image.get_array().shape == (2 * 13, 16 * 13)
    assert (image.get_array()[:, 12::13] == 1).all()
