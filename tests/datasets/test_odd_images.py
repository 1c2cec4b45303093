"""Images of one's own in odd kinds: what was once read or told wrongly, each as it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import distaff
from distaff.datasets import ArrayImages, load_dataset
from distaff.errors import BadInput
from distaff.evaluation.given_image import given_image

RNG = np.random.default_rng(0)


def picture(value: int) -> np.ndarray:
    return np.full((16, 16), value, np.uint8)


def pictures(folder: Path, count: int = 6, name: str = "{}.png") -> Path:
    folder.mkdir()
    for i in range(count):
        path = folder / name.format(i)
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture(40 * i + 3)).save(path)
    return folder


def labelled(data: distaff.datasets.DataSet) -> dict[int, float]:
    """The label of every image by its grey."""
    labels, images = data.labels(np.arange(len(data))), data.images(np.arange(len(data)))
    assert labels is not None
    return {int(image.flat[0]) // 40: float(label) for image, label in zip(images, labels[:, 0], strict=True)}


def test_pictures_of_palettes_are_colours() -> None:
    colours = np.full((16, 16, 3), 250, np.uint8)
    colours[4:9, 4:9] = 0
    several = [Image.fromarray(np.roll(colours, i, axis=1)).quantize(4) for i in range(4)]
    images = ArrayImages(several).images([0])
    assert (int(images[0, 0, 5, 5]), int(images[0, 0, 0, 0])) == (0, 250)


def test_a_declared_range_that_is_no_float32() -> None:
    images = (RNG.integers(0, 256, size=(5, 16, 16)) / 2550).astype(np.float32)
    images[0, 0, 0] = np.float32(0.1)
    assert float(ArrayImages(images, pixel_range=[0, 0.1]).images([0]).max()) <= 0.1 + 1e-8


def test_floats_to_255_are_told_as_floats() -> None:
    card = ArrayImages(RNG.integers(0, 256, size=(5, 16, 16)).astype(np.float32) * 0.999).card()
    assert (card["bytes"], card["pixels"].startswith("float32")) == (4 * 5 * 256, True)


@pytest.mark.parametrize(
    "lines",
    [
        ["angle,frame", *(f"{(i + 1) % 6},{i}" for i in range(6))],
        ["angle,frame", *(f"{60 * i},{i}" for i in range(6))],
        ["turn,place", *(f"{60 * i},{i}" for i in range(6))],
        ["turn,", *(f"{60 * i},{i}" for i in range(6))],
        ["angle,place", *(f"{i * i},{i}" for i in range(6))],
    ],
)
def test_the_column_that_numbers_the_files_is_found(tmp_path: Path, lines: list[str]) -> None:
    folder = pictures(tmp_path / "a")
    (folder / "labels.csv").write_text("\n".join(lines))
    data = load_dataset(str(folder))
    assert data.label_names == (lines[0].split(",")[0],)
    order = sorted(labelled(data).items())
    given = [int(line.split(",")[0]) for line in lines[1:]]
    assert np.argsort([label for _, label in order]).tolist() == np.argsort(given).tolist()


@pytest.mark.parametrize("number", ["{}", "{}.0"])
def test_numbers_without_their_zeros_name_files(tmp_path: Path, number: str) -> None:
    folder = pictures(tmp_path / "a", name="00{}.png")
    lines = ["id,size", *(f"{number.format(i)},{10 * i}" for i in reversed(range(6)))]
    (folder / "labels.csv").write_text("\n".join(lines))
    assert sorted(labelled(load_dataset(str(folder))).values()) == [0, 10, 20, 30, 40, 50]


def test_words_that_look_like_numbers_or_none_stay_words_in_an_evaluation(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    for i in range(40):
        Image.fromarray(RNG.integers(0, 256, size=(16, 16), dtype=np.uint8)).save(folder / f"{i}.png")
    donors, countries = ["1", "01", "2", "02"], ["NA", "DE", "FR", "DE"]
    lines = ["file,donor,country", *(f"{i}.png,{donors[i % 4]},{countries[i % 4]}" for i in range(40))]
    (folder / "labels.csv").write_text("\n".join(lines))
    data = load_dataset(str(folder), words=["donor", "country"])
    run = distaff.train("pca", data, latents=2, out=tmp_path / "run", show=False)
    card = distaff.evaluate(run, metrics=["mig"], values_only=True, show=False)
    labels = data.labels(np.arange(40))
    again = distaff.score(
        run.encode(data.images(np.arange(40))).mean, labels, metrics=["mig"], values_only=True
    )
    assert card["mig"].value == pytest.approx(again["mig"].value, abs=1e-6)
    assert {name: len(words) for name, words in card.protocol["words"].items()} == {"donor": 4, "country": 3}


def test_a_given_file_is_what_the_data_set_has(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    for i in range(3):
        Image.fromarray(RNG.integers(0, 256, size=(8, 8), dtype=np.uint8)).save(small / f"{i}.png")
    data = load_dataset(str(small))
    np.testing.assert_array_equal(given_image(data, str(small / "1.png")).image, data.images([1])[0])
    glass = tmp_path / "glass"
    glass.mkdir()
    for i in range(3):
        pixels = RNG.integers(0, 256, size=(16, 16, 4), dtype=np.uint8)
        pixels[..., 3] = 255 * (RNG.random((16, 16)) > 0.5)
        Image.fromarray(pixels, "RGBA").save(glass / f"{i}.png")
    data = load_dataset(str(glass), background="black")
    given = given_image(data, str(glass / "1.png"))
    np.testing.assert_array_equal(given.image, data.images([1])[0])
    assert given.note == "transparent parts are black"


def test_floats_of_odd_kinds_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    for i in range(3):
        pixels = RNG.random((16, 16)).astype(np.float32)
        pixels[0, 0] = np.nan if i == 1 else 0
        Image.fromarray(pixels).save(folder / f"{i}.tif")
    with pytest.raises(BadInput, match=r"1\.tif: some pixels are infinite or no numbers"):
        load_dataset(str(folder))
    Image.fromarray(RNG.integers(0, 9999, size=(16, 16)).astype(np.uint16)).save(folder / "1.tif")
    with pytest.raises(
        BadInput, match=r"0\.tif has pixels of kind F and 1\.tif of kind I;16; save all alike"
    ):
        load_dataset(str(folder))


def test_a_comparison_counts_the_images_of_the_data(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, size=(60, 16, 16), dtype=np.uint8)
    for name, settings in (("pca", {"latents": 2}), ("vae", {"latents": 2, "steps": 2})):
        distaff.train(name, ArrayImages(images), out=tmp_path / name, show=False, **settings)  # type: ignore[arg-type]
    np.savez(tmp_path / "mine.npz", images=images)
    for name in ("a", "b"):
        distaff.train(
            "pca", tmp_path / "mine.npz", latents=2, seed=ord(name), out=tmp_path / name, show=False
        )
    page = Path(distaff.report(tmp_path / "a", tmp_path / "b", out=tmp_path / "both.html")).read_text()
    assert "images of the data" in page


def test_paths_of_a_list_may_begin_further_out(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    for kind in ("one", "two"):
        (folder / kind).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(picture(40 * (i + 3 * (kind == "two")) + 3)).save(folder / kind / f"{i}.png")
    lines = [
        "path,size",
        *(f"data/a/{kind}/{i}.png,{i + 3 * (kind == 'two')}" for kind in ("two", "one") for i in range(3)),
    ]
    (folder / "labels.csv").write_text("\n".join(lines))
    assert labelled(load_dataset(str(folder))) == {i: i for i in range(6)}


def test_a_data_set_of_torch_says_what_to_give() -> None:
    class Pairs:
        def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
            return picture(index), index

        def __len__(self) -> int:
            return 3

    with pytest.raises(BadInput, match=r"images are a Pairs; give an array, as by torch\.stack"):
        ArrayImages(Pairs())


def test_images_are_held_out_by_their_labels(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a")
    lines = ["file,kind,size", *(f"{i}.png,{('cat', 'dog')[i % 2]},{i // 2 + 10}" for i in range(6))]
    (folder / "labels.csv").write_text("\n".join(lines))
    assert len(load_dataset(str(folder), held_out={"kind": "cat", "size": [10, 12]})) == 4
    left = load_dataset(str(folder), held_out={"kind": "cat"})
    assert [int(image.flat[0]) // 40 for image in left.images(np.arange(3))] == [1, 3, 5]
    for held, message in (
        ({"kind": "cow"}, "unknown value of kind 'cow'"),
        ({"kin": 1}, "did you mean 'kind'"),
    ):
        with pytest.raises(BadInput, match=message):
            load_dataset(str(folder), held_out=held)
    with pytest.raises(BadInput, match="has no labels to hold combinations of out"):
        load_dataset(str(pictures(tmp_path / "b")), held_out={"kind": 1})
