"""The explorer in a browser: its images are torch's, and what one does to it changes the code as it does."""

from __future__ import annotations

import base64
import copy
import html
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browser import Browser, browser, found
from PIL import Image
from standing import trained as trained_on_base
from torch import nn

import distaff
from distaff import registry
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.evaluation.acting import agent
from distaff.evaluation.acting.agent import Lesson, chosen_actions, kept_at
from distaff.evaluation.acting.policy import policy
from distaff.evaluation.acting.returns import acting, codes_of, read_acted, scaled
from distaff.evaluation.concepts.imagined import Imagined, imagine, lessons_of
from distaff.evaluation.evaluate import evaluate
from distaff.methods.base import Method
from distaff.methods.beta_vae import BetaVAE
from distaff.networks.three_way import ThreeWay
from distaff.pages.explorer import shown
from distaff.pages.explorer.explore import differences, explore
from distaff.pages.explorer.layers import OPS, packed, rounded
from distaff.pages.parts import number
from distaff.pages.seen import known, see
from distaff.training.run import Run, load_run
from distaff.worlds.grid import GridWorld

GRID = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all; what goes wrong in its pages is a failure."""
    if found() is None:
        pytest.skip("there is no chromium")
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def grid() -> distaff.datasets.DataSet:
    return distaff.load_dataset("dsprites", **GRID)


def opened(chrome: Browser, path: Path, width: int = 1280, **how: Any) -> None:
    chrome.problems.clear()
    chrome.open(path, width, **how)
    chrome.until("typeof state !== 'undefined' && state.pixels !== null")


def settled(chrome: Browser) -> None:
    """Wait until all is decoded, the grid too, which waits for the sliders to rest."""
    chrome.until("!decoding && !waiting.size && plane.grid")


def code(chrome: Browser) -> np.ndarray:
    return np.array(chrome.value("Array.from(state.code)"), dtype=np.float32)


def made_in_half(run: Run, codes: Any) -> np.ndarray:
    """What torch makes of codes (n, d) with the run's weights rounded to half precision."""
    modules = copy.deepcopy(run.modules)
    with torch.inference_mode():
        for tensor in (*modules.parameters(), *modules.buffers()):
            tensor.copy_(tensor.half())
        return run.method.decode(modules, torch.from_numpy(np.float32(codes))).float().numpy()


def check_decoded(chrome: Browser, run: Run) -> None:
    """The page's images of codes near and far are those of torch with the same rounded weights."""
    opened(chrome, explore(run, show=False))
    codes = np.array(chrome.value("codes.slice(0, 4).map((code) => Array.from(code))"), dtype=np.float32)
    far = 3 * np.random.default_rng(0).standard_normal((3, run.code_size)).astype(np.float32)
    codes = np.concatenate([codes, far])
    asked = f"Promise.all({json.dumps(codes.tolist())}.map(async (code) => Array.from(await decoded(code))))"
    drawn = np.array(chrome.value(asked))
    made = made_in_half(run, codes)
    assert np.ptp(made, axis=0).max() > 20 * TOLERANCE, "images of all codes are alike: nothing is tested"
    np.testing.assert_allclose(drawn, made.reshape(len(codes), -1), atol=TOLERANCE, rtol=0)
    assert not chrome.problems


@pytest.mark.parametrize("name", registry.names("methods"))
def test_images_are_those_of_torch(name: str, grid: Any, chrome: Browser, tmp_path: Path) -> None:
    quick = {"images": 200} if registry.get("methods", name).fitted else {}
    check_decoded(chrome, trained_on_base(name, grid, tmp_path, **quick))


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("vae", {"network": "fc"}),
        ("vae", {"network": "linear"}),
        ("vae", {"precision": "float64"}),
        ("autoencoder", {"network": "linear", "tied": True}),
        ("autoencoder", {"output": "linear", "likelihood": "gaussian"}),
        ("info_gan", {"network": "fc", "categorical": 2, "categories": 3}),
        ("info_gan", {"categorical": 0}),
        ("info_gan", {"latents": 0}),
    ],
)
def test_other_networks_too(
    method: str, settings: dict[str, Any], grid: Any, chrome: Browser, tmp_path: Path
) -> None:
    check_decoded(chrome, trained_on_base(method, grid, tmp_path, **settings))


@pytest.mark.parametrize("shape", [(60, 20, 28, 3), (60, 9, 9)])
def test_images_whose_sides_do_not_halve(shape: tuple[int, ...], chrome: Browser, tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random(shape))
    run = distaff.train("vae", data, steps=5, out=tmp_path / "a", threads=1, show=False)
    check_decoded(chrome, run)


@pytest.mark.parametrize(
    ("activation", "shape"), [("none", (60, 20, 28, 3)), ("relu", (60, 16, 16)), ("sigmoid", (60, 16, 16))]
)
def test_what_stands_on_features_is_decoded_there_and_back(
    activation: str, shape: tuple[int, ...], chrome: Browser, tmp_path: Path
) -> None:
    data = ArrayImages(np.random.default_rng(0).random(shape))
    how = {"steps": 2, "threads": 1, "show": False}
    base = distaff.train("autoencoder", data, activation=activation, out=tmp_path / "base", **how)
    run = distaff.train("beta_vae", data, features=base.folder, out=tmp_path / "run", **how)
    for weight in run.modules.parameters():  # which hardly tell codes apart after so few steps
        weight.data *= 1 + (weight.ndim > 1)
    kinds = [type(layer).__name__ for layer in run.method.decoding(run.modules)]
    assert kinds.index("Sigmoid") < kinds.index("DownConv") < len(kinds) - 1
    check_decoded(chrome, run)


def test_every_layer_is_done_in_the_page_and_no_other() -> None:
    text = files("distaff.pages.explorer").joinpath("decoder.js").read_text()
    named = re.search(r"const OPS = \{(.*?)\}", text, re.DOTALL)
    assert named is not None
    samples = {
        nn.Linear: nn.Linear(1, 1),
        nn.GroupNorm: nn.GroupNorm(1, 1),
        nn.Unflatten: nn.Unflatten(1, (1, 1, 1)),
        nn.ZeroPad1d: nn.ZeroPad1d(1),
        nn.ZeroPad2d: nn.ZeroPad2d(1),
    }
    given = {
        "Transposed": (nn.Linear(1, 1),),
        "UpConv": (1, 1),
        "DownConv": (1, 1),
        "Crop": (1, 1),
        "Largest": (1, 1),
        "Hardtanh": (0, 1),
        "Experts": (torch.zeros(1, 1), torch.zeros(1, 1)),
        "FromUnits": (ThreeWay((1, 1, 1), 1, 1, 1, torch.Generator()),),
    }
    layers = [samples[kind] if kind in samples else kind(*given.get(kind.__name__, ())) for kind in OPS]
    used = {layer["op"] for layer in packed(layers).layers}
    assert used == set(re.findall(r"\w+", named[1]))


# What one does to the page


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    shutil.copytree(trained, tmp_path / "run")
    return load_run(tmp_path / "run")


def first_slider(chrome: Browser) -> tuple[str, int]:
    column = chrome.value("sliding[0].column")
    return f"#slider-{column}", column


def test_a_slider_is_dragged_and_the_image_follows(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    slider, column = first_slider(chrome)
    before = code(chrome)
    seen = "window.seen = new Set(); listeners.push(() => seen.add(state.code[sliding[0].column])); 0"
    chrome.value(seen)
    chrome.drag(slider, 0.1, 0.9)
    after = code(chrome)
    low, high = (chrome.value(f"sliding[0].{end}") for end in ("low", "high"))
    assert after[column] == pytest.approx(low + 0.9 * (high - low), abs=0.05 * (high - low))
    np.testing.assert_array_equal(np.delete(after, column), np.delete(before, column))
    assert chrome.value("seen.size") >= 4, "it is redrawn on the way"
    check_shown(chrome, run)


def shown_in(chrome: Browser, context: str, x: str = "0") -> np.ndarray:
    """The red of an image on a canvas, 0..255, row by row."""
    red = f"{context}.getImageData({x}, 0, WIDTH, HEIGHT).data.filter((_, i) => i % 4 == 0)"
    return np.array(chrome.value(f"Array.from({red})"))


def check_shown(chrome: Browser, run: Run) -> None:
    """What the large canvas shows is the image of the code that the sliders stand at."""
    chrome.until("!decoding && !waiting.has('decoded')")
    (made,) = made_in_half(run, code(chrome)[None])
    red = (
        "byId('decoded').getContext('2d').getImageData(0, 0, WIDTH, HEIGHT).data.filter((_, i) => i % 4 == 0)"
    )
    pixels = np.array(chrome.value(f"Array.from({red})")).reshape(made.shape[1:])
    assert np.abs(pixels / 255 - made[0]).max() < TOLERANCE + 0.5 / 255
    assert np.ptp(pixels) > 20
    assert not chrome.problems


def test_keys_move_a_slider(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    slider, column = first_slider(chrome)
    before = code(chrome)[column]
    chrome.value(f"document.querySelector('{slider}').focus()")
    for _ in range(3):
        chrome.key("ArrowRight")
    step = chrome.value("(sliding[0].high - sliding[0].low) / 200")
    assert code(chrome)[column] == pytest.approx(before + 3 * step, abs=1.01 * step)
    check_shown(chrome, run)


def test_every_control_is_reached_by_keys(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    chrome.value("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    reached = set()
    for _ in range(60):
        chrome.key("Tab")
        reached.add(chrome.value("document.activeElement.id || document.activeElement.title"))
    sliders = chrome.value("sliding.map(({ column }) => `slider-${column}`)")
    buttons = chrome.value("Array.from(document.querySelectorAll('#presets button'), (each) => each.title)")
    assert len(buttons) == 10
    assert {*sliders, *buttons, "across", "up", "map", "grid", "from", "to", "swap", "way"} <= reached


def test_a_click_on_the_map_takes_the_code_of_the_image_there(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    settled(chrome)
    codes = np.array(chrome.value("codes.map((code) => Array.from(code))"), dtype=np.float32)
    far = int(np.abs(codes - codes[0])[:, first_slider(chrome)[1]].argmax())
    chrome.click("#map", *chrome.value(f"placeOf(codes[{far}])"))
    np.testing.assert_array_equal(code(chrome), codes[far])
    number = chrome.value(f"data.images[{far}].number")
    (mean,) = run.encode(run.data.images([number])).mean
    np.testing.assert_allclose(code(chrome), mean, atol=1e-5)
    told = chrome.value("byId('told').textContent")
    labels = dict(zip(run.data.label_names, run.data.labels([number])[0], strict=True))
    assert told == f"image {number}: " + ", ".join(f"{name} {value}" for name, value in labels.items())
    check_shown(chrome, run)
    check_original(chrome, run, number)


def check_original(chrome: Browser, run: Run, number: int) -> None:
    pixels = shown_in(chrome, "byId('original').getContext('2d')")
    np.testing.assert_array_equal(pixels, run.data.images([number])[0, 0].ravel())


def test_arrows_on_the_map_go_to_images_in_their_direction(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    codes = np.array(chrome.value("codes.map((code) => Array.from(code))"), dtype=np.float32)
    across = chrome.value("plane.across.column")
    chrome.value("byId('map').focus()")
    before = code(chrome)
    chrome.key("ArrowRight")
    after = code(chrome)
    assert after[across] > before[across]
    assert (codes == after).all(axis=1).any(), "it is an image's"
    for _ in range(len(codes)):
        chrome.key("ArrowLeft")
    edge = code(chrome)
    assert edge[across] < before[across]
    chrome.key("ArrowLeft")
    np.testing.assert_array_equal(code(chrome), edge)
    check_shown(chrome, run)


def test_the_grid_moves_two_latents_and_shows_what_they_make(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    settled(chrome)
    columns = across, up = [chrome.value(f"plane.{axis}.column") for axis in ("across", "up")]
    before = code(chrome)
    chrome.click("#grid", 6.5 / 7, 0.5 / 7)  # the middle of the cell at the right, on top
    after, latents = code(chrome), {each["column"]: each for each in chrome.value("latents")}
    assert after[across] == pytest.approx(latents[across]["high"], abs=0.02)
    assert after[up] == pytest.approx(latents[up]["high"], abs=0.02)
    np.testing.assert_array_equal(np.delete(after, columns), np.delete(before, columns))
    settled(chrome)
    (made,) = made_in_half(
        run, [[latents[j]["high"] if j in columns else value for j, value in enumerate(before)]]
    )
    drawn = shown_in(chrome, "plane.context", "6 * WIDTH").reshape(made.shape[1:])
    assert np.abs(drawn / 255 - made[0]).max() < TOLERANCE + 0.5 / 255
    chrome.value("byId('grid').focus()")
    chrome.key("ArrowLeft")
    step = (latents[across]["high"] - latents[across]["low"]) / 6
    now = code(chrome)
    assert now[across] == pytest.approx(after[across] - step, abs=1e-5)
    told = " at {:.2f}, ".join(chrome.value(f"plane.{axis}.name") for axis in ("across", "up")) + " at {:.2f}"
    assert chrome.value("byId('at').textContent") == told.format(*(now[j] for j in columns))


def test_other_latents_are_chosen_for_the_plane(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    settled(chrome)
    before = chrome.value("byId('map').querySelector('canvas').toDataURL()")
    chrome.value("(byId('across').value = 3, byId('across').dispatchEvent(new Event('change')), 0)")
    assert chrome.value("plane.across === sliding[3]")
    assert chrome.value("byId('map').querySelector('canvas').toDataURL()") != before
    settled(chrome)
    left = chrome.value("parseFloat(document.querySelector('#map .marker').style.left)")
    assert left == pytest.approx(100 * chrome.value("shareOf(sliding[3], state.code)"), abs=0.01)


def test_a_walk_between_two_codes(run: Run, chrome: Browser) -> None:
    opened(chrome, explore(run, show=False))
    chrome.click("#presets button:nth-child(3)")
    start = code(chrome)
    chrome.click("#from")
    chrome.click("#presets button:nth-child(5)")
    end = code(chrome)
    chrome.click("#to")
    assert chrome.value("byId('ends').textContent") == "From {}, to {}".format(
        *(chrome.value(f"nameOf({image})") for image in (2, 4))
    )
    chrome.click("#walked", 4.5 / 9)
    np.testing.assert_allclose(code(chrome), (start + end) / 2, atol=1e-6)
    chrome.drag("#way", 0.5, 0.99)
    np.testing.assert_allclose(code(chrome), end, atol=0.03 * np.abs(end - start).max())
    settled(chrome)
    (made,) = made_in_half(run, (start + end)[None] / 2)
    drawn = shown_in(chrome, "walk.context", "4 * WIDTH").reshape(made.shape[1:])
    assert np.abs(drawn / 255 - made[0]).max() < TOLERANCE + 0.5 / 255
    chrome.click("#swap")
    chrome.click("#walked", 0.01)
    np.testing.assert_array_equal(code(chrome), end)
    chrome.click("#presets button:nth-child(1)")
    chrome.drag(first_slider(chrome)[0], 0.2, 0.8)
    chrome.click("#to")
    assert chrome.value("byId('ends').textContent").endswith(", to a code of the sliders")


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_and_its_finger(run: Run, chrome: Browser, dark: bool) -> None:
    opened(chrome, explore(run, show=False), 390, height=844, dark=dark)
    assert chrome.value("document.documentElement.scrollWidth") == 390, "nothing is wider than the screen"
    chrome.tap("#map", *chrome.value("placeOf(codes[1])"))
    taken = "JSON.stringify(state.code) === JSON.stringify(codes[state.image]) && state.image > 0"
    chrome.until(taken)
    assert chrome.value("!byId('mini').hidden"), "what is decoded stays in sight"
    slider, column = first_slider(chrome)
    before = code(chrome)[column]
    chrome.tap(slider, 0.95 if before < 0 else 0.05)
    chrome.until(f"state.code[{column}] !== codes[state.image][{column}]")
    ground = chrome.value("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == dark
    chrome.value("scrollTo(0, 0)")
    chrome.until("byId('mini').hidden")
    check_shown(chrome, run)


def test_categorical_codes_are_buttons(grid: Any, chrome: Browser, tmp_path: Path) -> None:
    run = trained_on_base("info_gan", grid, tmp_path, categorical=2, categories=3, latents=1)
    opened(chrome, explore(run, show=False))
    chrome.click("#sliders [aria-label='k2'] button:nth-of-type(3)")
    np.testing.assert_array_equal(code(chrome)[3:6], [0, 0, 1])
    assert chrome.value("document.querySelectorAll('#sliders input').length") == 1
    assert chrome.value("document.querySelectorAll('#sliders details').length") <= 1
    pressed = "Array.from(document.querySelectorAll('#sliders [aria-pressed=true]'), (b) => b.textContent)"
    assert chrome.value(pressed)[1] == "2"
    assert not chrome.problems


def test_of_many_latents_the_first_are_open(grid: Any, chrome: Browser, tmp_path: Path) -> None:
    opened(chrome, explore(trained_on_base("raw", grid, tmp_path, images=200), show=False))
    assert chrome.value("document.querySelectorAll('#sliders > .latent').length") == 20
    folded = chrome.value("Array.from(document.querySelectorAll('#sliders summary'), (s) => s.textContent)")
    live = chrome.value("sliding.filter((latent) => latent.active).length")
    assert folded == [f"{live - 20} more latents", f"{256 - live} inactive latents"]


def test_without_numbers_there_is_no_plane(grid: Any, chrome: Browser, tmp_path: Path) -> None:
    run = trained_on_base("info_gan", grid, tmp_path, categorical=1, categories=3, latents=0)
    opened(chrome, explore(run, show=False))
    assert not chrome.value("byId('map').checkVisibility()")
    chrome.click("#presets button:nth-child(2)")
    np.testing.assert_array_equal(code(chrome), chrome.value("Array.from(codes[1])"))
    assert not chrome.problems


def test_concepts_are_codes(worded: Path, chrome: Browser, tmp_path: Path) -> None:
    shutil.copytree(worded / "scan", tmp_path / "scan")
    run = load_run(tmp_path / "scan")
    path = explore(run, show=False)
    opened(chrome, path)
    name = chrome.value("data.concepts[7].name")
    chrome.value("(byId('concept').value = 7, byId('concept').dispatchEvent(new Event('change')), 0)")
    made = imagine(run, name, 1)
    np.testing.assert_allclose(code(chrome), made.mean, atol=1e-3)
    samples = []
    for _ in range(200):
        chrome.value("byId('sample').click()")
        samples.append(code(chrome))
    apart = (np.array(samples) - made.mean) / made.sigma
    assert np.abs(apart.mean(axis=0)).max() < 5 / np.sqrt(200)
    assert np.abs(apart.std(axis=0) - 1).max() < 5 / np.sqrt(400)
    assert chrome.value("byId('says').textContent").startswith(f"{name}: ")
    check_bands(chrome, made)
    assert not chrome.problems
    assert "<h2>Concepts</h2>" in path.read_text()
    chrome.value("byId('concept').append(made('option', {}, 'very '.repeat(50))), 0")
    chrome.size(390, 844)
    chrome.until("document.documentElement.scrollWidth === 390")


def test_synonyms_are_among_the_concepts(synonymous: Path) -> None:
    run = load_run(synonymous / "scan")
    from distaff.evaluation.concepts.imagined import imagine

    found = shown.concepts(see(run, show=False))
    names = [each["name"] for each in found]
    assert len(names) == len(set(names))
    assert {"dub", "woog", "white wall, hat", "blue floor, suitcase"} <= set(names)
    for each in found:
        made = imagine(run, each["name"], 1)
        np.testing.assert_allclose(each["mean"], made.mean, atol=1e-3)
        np.testing.assert_allclose(each["sigma"], made.sigma, atol=1e-3)


def check_bands(chrome: Browser, made: Any) -> None:
    """A band on every slider lies two sigmas to either side of the concept's mean; an image has none."""
    place = "byId('slider-{}').previousElementSibling"
    for latent in chrome.value("sliding"):
        column, low, high = (latent[name] for name in ("column", "low", "high"))
        ends = made.mean[column] + made.sigma[column] * np.array([-2, 2])
        left, right = 100 * np.clip((ends - low) / (high - low), 0, 1)
        band = f"{place.format(column)}.style"
        assert chrome.value(f"parseFloat({band}.left)") == pytest.approx(left, abs=0.1)
        assert chrome.value(f"parseFloat({band}.width)") == pytest.approx(right - left, abs=0.1)
        assert chrome.value(f"{place.format(column)}.checkVisibility()")
    chrome.click("#presets button:nth-child(2)")
    assert not chrome.value("[...document.querySelectorAll('.band')].some((band) => band.checkVisibility())")


@pytest.fixture
def speaking(worded: Path, tmp_path: Path) -> Callable[[str], Run]:
    """A run of a method that knows words, on rooms of three colours, by its name."""

    def made(name: str) -> Run:
        kept = worded / {"scan_operators": "operators"}.get(name, name)
        if kept.exists():
            return load_run(shutil.copytree(kept, tmp_path / name))
        data, how = load_run(worded / "scan").data, {"latents": 4, "steps": 20, "learning_rate": 3e-3}
        return distaff.train(name, data, concepts=40, out=tmp_path / name, threads=1, show=False, **how)

    return made


@torch.inference_mode()
def spoken(run: Run, symbols: np.ndarray) -> np.ndarray:
    """Mean and sigma (2, n, d) of q(z|y) by torch, of what the page has rounded: weights, or experts."""
    if run.config.method != "telbo":
        codes = run.method.encode_symbols(rounded(run.modules), torch.from_numpy(symbols), torch.Generator())
        return np.stack([codes.mean.numpy(), torch.exp(codes.logvar / 2).numpy()])
    experts = run.modules["symbol_encoder"](torch.eye(symbols.shape[1])).half().float().numpy()
    means, precisions = experts[:, : run.code_size], np.exp(-experts[:, run.code_size :])
    together = 1 + symbols @ precisions  # of N(0, 1) and the words' Gaussians
    return np.stack([symbols @ (means * precisions) / together, together**-0.5])


def choose(chrome: Browser, *words: str) -> None:
    """Choose in the select of each attribute one of its words, or anything."""
    assert len(words) == chrome.value("concepts.selects.length")
    for place, word in enumerate(words):
        options = chrome.value(
            f"Array.from(concepts.selects[{place}].select.options, (option) => option.textContent)"
        )
        assert options[0] == "anything"
        select = f"concepts.selects[{place}].select"
        number = options.index(word)
        chrome.value(f"({select}.selectedIndex = {number}, {select}.dispatchEvent(new Event('change')), 0)")
    settled(chrome)


def chosen_now(chrome: Browser) -> np.ndarray:
    """Mean and sigma (2, d) of the concept that the page has."""
    return np.array(chrome.value("['mean', 'sigma'].map((part) => Array.from(concepts.chosen[part]))"))


ANY = "anything"
KNOW_WORDS = [
    name
    for name in registry.names("methods")
    if registry.get("methods", name).encode_symbols is not Method.encode_symbols
]


@pytest.mark.parametrize("name", KNOW_WORDS)
def test_words_that_are_chosen_are_a_concept(
    name: str, speaking: Callable[[str], Run], chrome: Browser
) -> None:
    run = speaking(name)
    path = explore(run, show=False)
    opened(chrome, path)
    vocabulary = lessons_of(run).vocabulary
    assert [*vocabulary.named] == ["wall_colour", "floor_colour", "object"]
    said = {
        (ANY, ANY, ANY): "",
        ("blue", ANY, ANY): "blue wall",
        (ANY, "blue", ANY): "blue floor",
        (ANY, "yellow", "ice lolly"): "yellow floor, ice lolly",
        ("white", "blue", "hat"): "white wall, blue floor, hat",
    }
    symbols = vocabulary.symbols([vocabulary.read(words) for words in said.values()])
    expected = spoken(run, symbols)
    assert np.ptp(expected, axis=1).max() > 20 * TOLERANCE, "all concepts are alike: nothing is tested"
    taught = chrome.value("data.concepts.map(({ name }) => name)")
    for place, (words, told) in enumerate(said.items()):
        choose(chrome, *words)
        found = chosen_now(chrome)
        np.testing.assert_allclose(found, expected[:, place], atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose(code(chrome), found[0], atol=1e-6)
        assert chrome.value("byId('says').textContent").startswith(f"{told or ANY}: ")
        listed = chrome.value("data.concepts[byId('concept').value]?.name ?? ''")
        assert listed == (told if told in taught else "")
    assert not chrome.problems
    apart = float(re.findall(r"concepts move by (\S+) at the most", path.read_text())[0])
    shown_ = spoken(run, lessons_of(run).symbols)
    own = run.encode_symbols(lessons_of(run).symbols)
    assert np.abs(shown_ - [own.mean, np.exp(own.logvar / 2)]).max() == pytest.approx(apart, rel=0.1)


def test_what_words_mean_is_drawn_and_lies_on_the_sliders(
    speaking: Callable[[str], Run], chrome: Browser
) -> None:
    run = speaking("scan")
    opened(chrome, explore(run, show=False))
    chrome.value("(gaussian = () => 0.5, 0)")
    choose(chrome, "yellow", ANY, "suitcase")
    mean, sigma = chosen_now(chrome)
    (made,) = made_in_half(run, (mean + 0.5 * sigma)[None])
    for place in (0, 8):
        drawn = shown_in(chrome, "concepts.context", f"{place} * WIDTH").reshape(made.shape[1:])
        assert np.abs(drawn / 255 - made[0]).max() < TOLERANCE + 0.5 / 255
    label = chrome.value("byId('imagined').getAttribute('aria-label')")
    assert label == "Decoded samples of the concept: yellow wall, suitcase"
    check_shown(chrome, run)
    chrome.click("#sample")
    np.testing.assert_allclose(code(chrome), mean + 0.5 * sigma, atol=1e-6)
    check_bands(chrome, Imagined(mean, sigma, None, None))
    chrome.click("#mean")
    np.testing.assert_allclose(code(chrome), mean, atol=1e-6)


def test_a_listed_concept_chooses_its_words(speaking: Callable[[str], Run], chrome: Browser) -> None:
    opened(chrome, explore(speaking("scan"), show=False))
    read = "concepts.selects.map(({ select }) => select.selectedOptions[0].textContent)"
    for place in (0, 20, 39):
        name = chrome.value(f"data.concepts[{place}].name")
        chrome.value(
            f"(byId('concept').value = {place}, byId('concept').dispatchEvent(new Event('change')), 0)"
        )
        words = {word for word in chrome.value(read) if word != ANY}
        parts = name.split(", ")
        assert len(words) <= len(parts)
        assert all(any(word in part for word in words) for part in parts)
        before = chosen_now(chrome)
        choose(chrome, *chrome.value(read))
        np.testing.assert_allclose(chosen_now(chrome), before, atol=0.01)
        assert chrome.value("byId('concept').value") == str(place)


def test_words_are_chosen_by_keys(speaking: Callable[[str], Run], chrome: Browser) -> None:
    opened(chrome, explore(speaking("scan"), show=False))
    choose(chrome, ANY, ANY, ANY)
    chrome.value("byId('concept').focus()")
    for key in ("Tab", "Tab", "ArrowDown"):
        chrome.key(key)
    settled(chrome)
    assert chrome.value("concepts.chosen.name") == "white floor"
    chrome.size(390, 844)
    assert chrome.value("document.documentElement.scrollWidth") == 390
    assert not chrome.problems


@pytest.fixture(scope="module")
def agent_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose codes an agent has learned from."""
    pytest.importorskip("stable_baselines3")
    out = tmp_path_factory.mktemp("agent") / "pca"
    made = distaff.train("pca", "one_square", latents=8, out=out, threads=1, show=False)
    acting(made, "grid", steps=1_100, show=False)
    return made


def test_the_agent_says_what_actions_are_worth(agent_run: Run, chrome: Browser) -> None:
    path, found = explore(agent_run, show=False), read_acted(agent_run)
    opened(chrome, path)
    world = GridWorld(agent_run.data)
    observed = scaled(codes_of(agent_run, world), world.domains["everywhere"])
    lesson = Lesson(world, observed, 1_100, 0)
    taken = chosen_actions(lesson, agent_run.folder, show=False)
    network = agent._model(lesson).q_net
    network.load_state_dict(agent.load_tensors(kept_at(lesson, agent_run.folder)))
    whole = nn.Sequential(*policy(agent_run, found).layers)
    halved = rounded(nn.ModuleDict({"policy": whole}))["policy"]
    acted = set()
    for image in range(0, 40, 4):
        chrome.value(f"takeImage({image})")
        chrome.until("!decoding && !waiting.size")
        place = chrome.value(f"data.images[{image}].number")
        here = torch.from_numpy(code(chrome)[None])
        with torch.inference_mode():
            (worth,), (as_told,) = network(torch.from_numpy(observed[[place]])).numpy(), whole(here).numpy()
            (in_half,) = halved(here).numpy()
        np.testing.assert_allclose(as_told, worth, atol=1e-5)
        cells = "Array.from(document.querySelectorAll('#worth .n'), (cell) => Number(cell.textContent))"
        np.testing.assert_allclose(chrome.value(cells), in_half, atol=5.1e-4)
        does = chrome.value("byId('does').textContent").partition(": ")[2]
        close = np.ptp(np.sort(worth)[-2:]) < 2 * np.abs(in_half - worth).max()
        assert does == world.action_names[taken[place]] or close
        assert chrome.value("document.querySelector('#worth .best td').textContent") == does
        acted.add(does)
    assert len(acted) > 1, "one action everywhere: nothing is tested"
    assert world.action_names == ["x down", "x up", "y down", "y up"]
    text = path.read_text().partition("<h2>Acting</h2>")[2].partition("</section>")[0]
    assert f'<td class="n">{number(found.domains["everywhere"].agent)}</td>' in text
    chrome.size(390, 844)
    assert chrome.value("document.documentElement.scrollWidth") == 390
    assert not chrome.problems


def test_without_its_file_the_agent_is_not_asked(agent_run: Run, chrome: Browser, tmp_path: Path) -> None:
    shutil.copytree(agent_run.folder, tmp_path / "run")
    for file in (tmp_path / "run").glob("agent-*"):
        file.unlink()
    path = explore(tmp_path / "run", show=False)
    opened(chrome, path)
    assert "<h2>Acting</h2>" in path.read_text()
    assert "cannot be asked" in path.read_text()
    assert not chrome.problems


# The file


def embedded(path: Path, name: str) -> str:
    held = re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', path.read_text(), re.DOTALL)
    assert held is not None
    return held[1]


def test_one_file_that_needs_no_other(run: Run) -> None:
    path = explore(run, show=False)
    text = path.read_text()
    for name in ("decoder", "weights", "codes", "data"):
        text = text.replace(embedded(path, name), "")
    assert re.findall(r"""(?:src|href)=["'](?!data:)""", text) == []
    assert not re.search(r"https?://|//cdn|@import|fetch\(|XMLHttpRequest", text)
    assert "default-src 'none'" in html.unescape(text)


def test_it_says_all_in_words(run: Run) -> None:
    evaluate(run, rows=500, metrics=["mig"], values_only=True, show=False)
    path = explore(run, show=False)
    data, seen = json.loads(embedded(path, "data")), see(run, show=False)
    assert [each["column"] for each in data["latents"]] == seen.order.tolist()
    text = path.read_text().partition("<h2>In words</h2>")[2]
    assert "<noscript>" in path.read_text()
    factors, shares = known(seen, np.arange(run.code_size))
    for latent in data["latents"]:
        told = {factors[k]: share for k, share in enumerate(shares[latent["column"]]) if share >= 0.05}
        assert dict(latent["knows"]) == pytest.approx(told, abs=5e-4)
        row = text.partition(f"<td>{latent['name']}</td>")[2].partition("</tr>")[0]
        assert latent["carries"] in row
        assert all(name in row for name in told)
    assert any(each["knows"] for each in data["latents"])
    assert all(f'<td class="n">{image["number"]}</td>' in text for image in data["images"])


def test_latents_move_over_the_aggregate_posterior(run: Run) -> None:
    data, seen = json.loads(embedded(explore(run, show=False), "data")), see(run, show=False)
    codes = np.frombuffer(base64.b64decode(embedded(run.folder / "explorer.html", "codes")), dtype="<f4")
    codes = codes.reshape(len(data["images"]), -1)
    for latent in data["latents"]:
        column = latent["column"]
        ends = np.sort(seen.encoding.sample[:, column])
        outside = [(ends < latent["low"]).mean(), (ends > latent["high"]).mean()]
        assert max(outside) <= 0.005 + 1 / len(ends)
        reached = codes[:, column].min(), codes[:, column].max()
        assert latent["low"] <= reached[0]
        assert reached[1] <= latent["high"]
        assert latent["low"] == pytest.approx(min(reached[0], np.quantile(ends, 0.005)), abs=1e-5)
        assert latent["high"] == pytest.approx(max(reached[1], np.quantile(ends, 0.995)), abs=1e-5)


def test_codes_of_a_generator_move_over_their_prior(grid: Any, tmp_path: Path) -> None:
    path = explore(trained_on_base("info_gan", grid, tmp_path, categorical=0, latents=3), show=False)
    found = [(each["low"], each["high"]) for each in json.loads(embedded(path, "data"))["latents"]]
    assert len(found) == 3
    assert all(low <= -1 and high >= 1 for low, high in found)


def test_the_sheet_holds_every_image(run: Run) -> None:
    path, seen = explore(run, show=False), see(run, show=False)
    places = shown.chosen(seen)
    assert len(set(places)) == len(places) == 200
    data = base64.b64decode(re.findall(r'id="sheet" src="data:image/png;base64,(.*?)"', path.read_text())[0])
    sheet = np.asarray(Image.open(io.BytesIO(data)))
    for n in (0, 19, 20, len(places) - 1):
        x, y = 16 * (n % 20), 16 * (n // 20)
        (image,) = run.data.images([seen.encoding.rows[places[n]]])
        np.testing.assert_array_equal(sheet[y : y + 16, x : x + 16, 0], image[0])


def test_what_half_precision_changes_is_told(run: Run) -> None:
    text, seen = explore(run, show=False).read_text(), see(run, show=False)
    codes = seen.encoding.mean[shown.chosen(seen)]
    apart = np.abs(made_in_half(run, codes) - run.decode(codes))
    assert 0 < apart.max() < 0.02
    assert f"by {apart.max():.2g} at the most and {apart.mean():.2g} on average" in text
    np.testing.assert_array_equal(differences(run, codes), apart)


def test_a_page_of_the_default_decoder_is_small(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((300, 64, 64, 3)))  # noise, which no PNG makes smaller
    run = distaff.train("beta_vae", data, steps=2, out=tmp_path / "a", threads=1, show=False)
    path = explore(run, show=False)
    assert path.stat().st_size < 3e6
    images = json.loads(embedded(path, "data"))["images"]
    assert 8 <= len(images) < 200
    assert images[0]["told"] == ""


def test_long_codes_take_fewer_images(grid: Any, tmp_path: Path) -> None:
    run = trained_on_base("raw", distaff.load_dataset("dsprites", x=4, y=4), tmp_path)
    path = explore(run, show=False)
    assert len(json.loads(embedded(path, "data"))["images"]) == 400_000 // (4 * 4096)
    assert path.stat().st_size < 3e6


class Bent(BetaVAE):
    """A beta-VAE whose decoder has a layer of its own."""

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        return [*super().decoding(modules), nn.GELU()]


class Silent(BetaVAE):
    """A method that decodes, and does not say how."""

    decoding = Method.decoding


class Blind(BetaVAE):
    """A method that cannot decode."""

    decode, decoding = Method.decode, Method.decoding


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Bent, r"does not know the layer GELU\(.*it knows Crop, DownConv"),
        (Silent, "Silent does not say of which layers its decoder is"),
        (Blind, "Blind has no decoder"),
    ],
)
def test_what_cannot_be_shown_is_said_and_nothing_written(
    kind: type, message: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.TABLES["methods"], "beta_vae", f"{__name__}:{kind.__name__}")
    monkeypatch.setattr(registry, "get", lambda kind_, name: kind)
    with pytest.raises(BadInput, match=message):
        explore(load_run(run.folder))
    assert not (run.folder / "explorer.html").exists()


def test_weights_beyond_half_precision_are_named() -> None:
    layer = nn.Linear(2, 2)
    nn.init.constant_(layer.weight, -1e5)
    with pytest.raises(BadInput, match=r"weights of Linear\(.*reach 100000; .* end at 65504"):
        packed([layer])


def test_a_name_cannot_leave_the_data(tmp_path: Path, chrome: Browser) -> None:
    data = ArrayImages(np.random.default_rng(0).random((30, 8, 8)), name="</script><script>alert(1)</script>")
    run = distaff.train("vae", data, steps=2, out=tmp_path / "a", threads=1, show=False)
    path = explore(run, show=False)
    assert "alert(1)</script>" not in path.read_text()
    opened(chrome, path)
    assert not chrome.problems


def test_the_report_and_the_explorer_know_of_each_other(run: Run, tmp_path: Path) -> None:
    assert "explorer.html" not in distaff.report(run, show=False).read_text()
    assert '<a href="report.html">' in explore(run, show=False).read_text()
    assert '<a href="explorer.html">' in distaff.report(run, show=False).read_text()
    assert "report.html" not in explore(run, tmp_path / "elsewhere.html", show=False).read_text()


def test_a_run_that_is_trained_further_has_no_old_explorer(run: Run) -> None:
    path = explore(run, show=False)
    more = {"beta": 1.0, "learning_rate": 1e-3, "steps": 301, "threads": 1, "show": False}
    distaff.train("beta_vae", run.data, out=run.folder, **more)
    assert not path.exists()
