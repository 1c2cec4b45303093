"""Figures: what is drawn is what was given, in colours that can be read on light and dark ground."""

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

import distaff
from distaff.datasets import ArrayImages
from distaff.pages import figures, palette, table_figures
from distaff.pages.contact_sheet import write_contact_sheet
from distaff.pages.images import image_grid, strip
from distaff.pages.saving import png, save_figures, svg


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0..1, as the contrast guidelines of the web define it."""
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("place", [0, 1])
def test_text_stands_out_and_lines_can_be_told_from_the_ground(place: int) -> None:
    ground = palette.THEME["card"][place]
    for name in ("ink", "soft", "holds", "fails", "undecided"):
        assert contrast(palette.THEME[name][place], ground) >= 4.5, name
    for colour in palette.COLOURS:
        assert contrast(colour, ground) >= 2, colour
    assert contrast(palette.THEME["fill"][place], ground) >= 3


@pytest.mark.parametrize("channels", [1, 3])
def test_a_strip_keeps_pixels_and_order(channels: int) -> None:
    images = np.random.default_rng(0).random((3, channels, 5, 4))
    pixels = strip(images)
    assert pixels.shape == (5, 3 * 5 - 1, 3)
    np.testing.assert_array_equal(pixels[:, 5:9, 0], np.round(255 * images[1, 0]))
    assert (pixels[:, 4] == 110).all()
    with Image.open(io.BytesIO(png(pixels))) as written:
        np.testing.assert_array_equal(np.asarray(written), pixels)


def test_a_heat_map_says_its_numbers_in_colours_that_can_be_read() -> None:
    values = np.array([[0.0, 1.0], [np.nan, -0.001]])
    (ax,) = figures.heat_map(values, ["a", "b"], ["$\\frac{", "<b>"], ("rows", "columns"), (0, 1)).axes
    cells = {text.get_position()[::-1]: text for text in ax.texts}
    assert {place: text.get_text() for place, text in cells.items()} == {
        (0, 0): "0.00",
        (0, 1): "1.00",
        (1, 1): "0.00",
    }
    assert (cells[0, 0].get_color(), cells[0, 1].get_color()) == (palette.ON_LIGHT, palette.ON_DARK)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("columns", "rows")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["$\\frac{", "<b>"]


def test_words_may_stand_in_the_cells_of_a_heat_map() -> None:
    values = np.array([[0.5, np.nan]])
    (ax,) = figures.heat_map(values, ["a"], ["b", "c"], diverging=True, words=[["half", "none"]]).axes
    assert [text.get_text() for text in ax.texts] == ["half"]


def test_the_svg_of_a_page_follows_its_theme_and_says_what_it_shows() -> None:
    text = svg(figures.heat_map(np.eye(2), ["z0", "字"], ["$\\frac{", "<b>"]), 'of "<this>"')
    assert text.startswith("<svg ")
    assert 'aria-label="of &#34;&lt;this&gt;&#34;"' in text
    assert "<b>" not in text
    assert "字" in text  # by the reader's own font
    assert "$\\frac{" in text
    assert not re.search(rf"(fill|stroke): ({palette.INK}|#000000)", text)
    assert palette.ON_DARK in text, "white on dark cells stays white"
    assert "stroke: currentColor" in svg(figures.axes("x", "y")[0], "axes")


def test_the_same_figure_is_the_same_svg_and_no_two_titles_share_a_reference() -> None:
    def drawn(title: str) -> str:
        return svg(figures.curves([1, 2], {"a": [3, 4], "b": [5, 6]}, "x", "y"), title)

    assert drawn("one") == drawn("one")
    names = [set(re.findall(r'id="([^"]+)"', drawn(title))) for title in ("one", "two")]
    assert names[0]
    assert not names[0] & names[1]


def test_clouds_of_many_points_are_pixels_on_a_page() -> None:
    for count, pixels in ((400, False), (4000, True)):
        codes = np.random.default_rng(0).random((count, 1))
        text = svg(figures.latents_against(codes, codes, ["x"]), "a cloud")
        assert ("<image" in text) == pixels
        assert len(text) < 150_000


def test_figures_are_saved_as_numbered_png_files(tmp_path: Path) -> None:
    def empty() -> Figure:
        return figures.axes("x", "y")[0]

    written = save_figures([("A title: of <this>", empty()), ("b" * 200, empty())], tmp_path / "figures")
    assert [path.name for path in written] == ["01_a_title_of_this.png", f"02_{'b' * 80}.png"]
    for path in written:
        with Image.open(path) as image:
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_history_is_drawn_term_by_term() -> None:
    history = [{"step": 10 * n, "loss": 5.0 - n, "kl": 1.0 * n, "images_per_second": 9.0} for n in range(3)]
    loss, kl = (ax for ax in figures.history_curves(history).axes if ax.get_visible())
    assert (loss.get_title("left"), kl.get_title("left")) == ("loss", "kl")
    np.testing.assert_array_equal(loss.lines[0].get_xydata(), [(0, 5), (10, 4), (20, 3)])
    np.testing.assert_array_equal(kl.lines[0].get_xydata(), [(0, 0), (10, 1), (20, 2)])


@pytest.mark.parametrize("classes", [3, 10, 20])
def test_classes_have_colours_of_their_own(classes: int) -> None:
    labels = np.arange(60) % classes
    points = np.random.default_rng(0).random((60, 2))
    figure = figures.views({"one": points.tolist(), "two": points.tolist()}, labels.tolist(), "shape")
    colours = figure.axes[0].collections[0]
    figure.draw_without_rendering()
    assert len(np.unique(colours.get_facecolor(), axis=0)) == classes
    assert "shape" in str(svg(figure, "views"))
    words = [f"${name}^$" for name in range(classes)]  # which as mathematics are none
    figure = figures.views({"one": points.tolist()}, labels.tolist(), "$x^$", words)
    figure.draw_without_rendering()
    assert ("$2^$" in str(svg(figure, "views"))) == (classes <= 10)


def test_bands_hold_means_and_quartiles() -> None:
    frame = pd.DataFrame(
        {"metric": "mig", "method": "vae", "strength": [4.0, 1.0], "mean": [0.5, 0.2], "q25": [0.4, 0.1],
         "q75": [0.6, 0.3]}
    )  # fmt: skip
    (ax,) = table_figures.bands(frame, "metric", "strength", "method", "by rank").axes
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [(1, 0.2), (2, 0.5)])
    edges = ax.collections[0].get_paths()[0].get_extents()
    np.testing.assert_allclose((edges.y0, edges.y1), (0.1, 0.6))


def test_images_of_a_grid_are_shown_unchanged_and_in_order() -> None:
    images = np.random.default_rng(0).random((5, 3, 4, 4)).astype(np.float32)
    axes = image_grid(images, 3, ["a", "b", "c"], ["first", "second"]).axes
    shown = [ax.images[0].get_array() for ax in axes if ax.images]
    np.testing.assert_array_equal(shown, images.transpose(0, 2, 3, 1))
    assert [ax.get_title() for ax in axes[:3]] == ["a", "b", "c"]
    assert [[text.get_text() for text in axes[n].texts] for n in (0, 3)] == [["first"], ["second"]]


def test_contact_sheets(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=32)
    with Image.open(write_contact_sheet(data, tmp_path / "a.png")) as sheet:
        assert sheet.size[1] == 5 * 68
    mine = ArrayImages(np.random.default_rng(0).random((9, 20, 20)))
    with Image.open(write_contact_sheet(mine, tmp_path / "b.png")) as sheet:
        assert sheet.size[1] == 5 * (60 + 4)
