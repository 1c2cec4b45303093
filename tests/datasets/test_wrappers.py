"""What a study does to data: hidden, held out, correlated, in pairs, labelled in part; and nuisances."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distaff import registry
from distaff.batches.batch import Batch
from distaff.batches.lessons import vocabulary_of
from distaff.batches.pairs import Pairs, pair_rows
from distaff.batches.transitions import transition_rows
from distaff.datasets import (
    ArrayImages,
    Built,
    Correlated,
    DataSet,
    Hidden,
    SubGrid,
    Subset,
    build_images,
    hold_out,
    labelled_rows,
    load_dataset,
    ratio_joint,
    ridge,
)
from distaff.datasets.dsprites import DSprites
from distaff.datasets.nuisance import uniform, uniform_bytes
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.testing import check_dataset

SMALL = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}
SPACE = FactorSpace(("a", "b", "c"), (3, 4, 5))


def test_hidden_factors_are_no_labels() -> None:
    data = load_dataset("dsprites", hide=["shape"], **SMALL)
    assert data.label_names == ("scale", "x", "y")
    assert data.factors is None
    check_dataset(data)
    whole = load_dataset("dsprites", **SMALL)
    index = np.arange(0, len(whole), 7)
    np.testing.assert_array_equal(data.images(index), whole.images(index))
    np.testing.assert_array_equal(data.labels(index), whole.labels(index)[:, 1:])
    with pytest.raises(BadInput, match="dsprites has no factor 'colour' to hide; it has: shape, scale, x, y"):
        load_dataset("dsprites", hide=["colour"], **SMALL)
    with pytest.raises(BadInput, match="at least one factor must be left"):
        Hidden(whole, whole.label_names)


def test_held_out_combinations() -> None:
    whole = load_dataset("dsprites", **SMALL)
    train, test = hold_out(whole, {"shape": 2, "x": [6, 7]})
    assert len(train) + len(test) == len(whole)
    assert len(test) == 1 * 6 * 2 * 8
    inside = test.labels(np.arange(len(test)))
    assert set(inside[:, 0]) == {2}
    assert set(inside[:, 2]) == {6, 7}
    outside = train.labels(np.arange(len(train)))
    assert not ((outside[:, 0] == 2) & (outside[:, 2] >= 6)).any()
    assert {2} <= set(outside[:, 0]), "hearts are seen elsewhere"
    check_dataset(train)
    loaded = load_dataset("dsprites", held_out={"shape": 2, "x": [6, 7]}, **SMALL)
    assert len(loaded) == len(train)
    assert loaded.fingerprint() == train.fingerprint()
    without = {"shape": np.int64(2), "scale": 3, "x": 6, "y": 0}
    assert len(load_dataset("dsprites", held_out=without, **SMALL)) == len(whole) - 1
    with pytest.raises(BadInput, match=r"what is held out .* must be at least 2 images, not 1"):
        hold_out(whole, without)
    for bad, message in (
        ({"shape": 3}, r"held_out shape=3 is not allowed; give whole numbers in 0\.\.2"),
        ({"colour": 1}, "unknown factor 'colour'"),
        ({}, "names no factor"),
        ({name: list(range(8)) for name in ("x",)}, "at least 2 images must be left, got 0"),
        ([1], "give a table"),
    ):
        with pytest.raises(BadInput, match=message):
            load_dataset("dsprites", held_out=bad, **SMALL)


def test_correlated_factors_are_drawn_with_their_joint_and_the_others_uniformly() -> None:
    whole = load_dataset("dsprites", **SMALL)
    joint = ridge(8, 8, 0.2)
    data = Correlated(whole, "x", "y", joint)
    check_dataset(data)
    rows = data.labels(data.draw(100_000, np.random.default_rng(0)))
    found = np.zeros((8, 8))
    np.add.at(found, (rows[:, 2], rows[:, 3]), 1e-5)
    expected = joint / joint.sum()
    assert np.abs(found - expected).max() < 5 * np.sqrt(expected.max() * 1e-5)
    assert np.bincount(rows[:, 0], minlength=3) / 1e5 == pytest.approx(1 / 3, abs=0.01)
    assert abs(np.corrcoef(rows[:, 2], rows[:, 3])[0, 1]) > 0.6
    assert abs(np.corrcoef(rows[:, 0], rows[:, 3])[0, 1]) < 0.02
    loaded = load_dataset("dsprites", correlate={"factors": ["x", "y"], "sigma": 0.2}, **SMALL)
    np.testing.assert_allclose(loaded.joint, expected)
    again, same = (d.draw(50, np.random.default_rng(1)) for d in (data, loaded))
    np.testing.assert_array_equal(again, same)


@pytest.mark.parametrize("kind", ["uniform", "diagonal", "antidiagonal", "corner"])
def test_joints_of_ratio_4(kind: str) -> None:
    joint = ratio_joint(kind, 6, 9)
    assert joint.shape == (6, 9)
    assert joint.min() > 0
    assert joint.max() / joint.min() == pytest.approx(1 if kind == "uniform" else 4)
    likeliest = {"diagonal": (5, 8), "antidiagonal": (5, 0), "corner": (5, 8)}
    if kind in likeliest:
        assert joint[likeliest[kind]] == joint.max()
        assert joint[0, 0] == pytest.approx(4 if kind == "diagonal" else 1)
    assert load_dataset("dsprites", correlate={"factors": ["scale", "x"], "kind": kind}).joint.shape == (
        6,
        32,
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"factors": ["x", "x"], "sigma": 1}, "cannot be correlated with itself"),
        ({"factors": ["x"], "sigma": 1}, "two factors, and one of sigma, kind or joint"),
        ({"factors": ["x", "y"], "sigma": 0}, "sigma=0 is not allowed"),
        ({"factors": ["x", "y"], "sigma": 10**400}, "sigma=10+ is not allowed"),
        ({"factors": ["x", "y"], "sigma": 1e-200}, "sigma=1e-200 is not allowed"),
        (
            {"factors": ["x", "y"], "joint": (np.ones((8, 8)) * 1e308).tolist()},
            "finite weights of at least 0",
        ),
        ({"factors": ["x", "y"], "kind": "diag"}, "unknown kind of joint 'diag'; did you mean 'diagonal'"),
        ({"factors": ["x", "y"], "joint": [[1]]}, r"must have shape \(8, 8\), got \(1, 1\)"),
        ({"factors": ["x", "y"], "joint": (-np.ones((8, 8))).tolist()}, "finite weights of at least 0"),
        ({"factors": ["x", "y"], "sigmaa": 1}, "unknown part of correlate 'sigmaa'; did you mean 'sigma'"),
    ],
)
def test_joints_that_make_no_sense(asked: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load_dataset("dsprites", correlate=asked, **SMALL)


def test_wrappers_compose() -> None:
    data = load_dataset("dsprites", correlate={"factors": ["x", "y"], "sigma": 0.1}, hide=["shape"], **SMALL)
    rows = data.labels(data.draw(5000, np.random.default_rng(0)))
    assert data.label_names == ("scale", "x", "y")
    assert np.corrcoef(rows[:, 1], rows[:, 2])[0, 1] > 0.8
    assert "drawn correlated" in data.note
    assert "hidden: shape" in data.note


def test_pairs_share_all_but_k_factors() -> None:
    rng = np.random.default_rng(0)
    for k in (1, 2, 3):
        first, second, changed = pair_rows(SPACE, 6000, rng, k)
        assert (changed.sum(axis=1) == k).all()
        assert (first == second)[~changed].all()
        assert changed.mean(axis=0) == pytest.approx(k / 3, abs=0.03)
        agree = (first == second)[changed].mean()  # a new value is the old one by chance
        assert agree == pytest.approx(np.mean([1 / 3, 1 / 4, 1 / 5]), abs=0.03)
    _, _, changed = pair_rows(SPACE, 6000, rng)
    assert np.bincount(changed.sum(axis=1), minlength=4)[1:] / 6000 == pytest.approx([0.5, 0.5, 0], abs=0.03)
    with pytest.raises(BadInput, match="k=4 is not allowed"):
        pair_rows(SPACE, 2, rng, 4)
    with pytest.raises(BadInput, match="at least 2 factors"):
        pair_rows(FactorSpace(("a",), (3,)), 2, rng)


@pytest.mark.parametrize("rate", [0.5, 1.0, 6.0])
def test_transitions_follow_a_laplace_distribution_on_the_grid(rate: float) -> None:
    space = FactorSpace(("a", "b"), (9, 5))
    first, second = transition_rows(space, 60_000, np.random.default_rng(0), rate=rate)
    assert (first != second).any(axis=1).all(), "something moves"
    stay, table = [], []
    for n in space.sizes:
        weights = np.exp(-np.abs(np.subtract.outer(np.arange(n), np.arange(n))) * rate / np.log(n))
        table.append(weights / weights.sum(axis=1, keepdims=True))
        stay.append(np.diag(table[-1]))
    for value in range(9):
        rows = first[:, 0] == value
        still = stay[0][value] * stay[1].mean()  # both stay: one of the two is then moved
        moves = np.delete(table[0][value], value)
        expected = moves + still / 2 * moves / moves.sum()
        found = np.delete(np.bincount(second[rows, 0], minlength=9) / rows.sum(), value)
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_transitions_of_any_rate() -> None:
    for rate in (1e-300, 1e300):
        first, second = transition_rows(SPACE, 50, np.random.default_rng(0), rate=rate)
        assert SPACE.check(second).shape == first.shape
    assert np.abs(first - second).sum(axis=1).max() == 1  # a large rate: one smallest step
    with pytest.raises(BadInput, match="rate=0 is not allowed"):
        transition_rows(SPACE, 2, np.random.default_rng(0), rate=0)


def test_a_factor_of_one_value_stays_in_a_transition() -> None:
    first, second = transition_rows(FactorSpace(("one", "x"), (1, 4)), 200, np.random.default_rng(0))
    assert not second[:, 0].any()
    assert (first != second).any(axis=1).all()
    with pytest.raises(BadInput, match="each factor has a single value"):
        transition_rows(FactorSpace(("one",), (1,)), 2, np.random.default_rng(0))


def seen(kind: str, data: DataSet, size: int, **options: object) -> tuple[Batch, np.ndarray]:
    """A batch, and the indices of its images in their order."""
    batch = registry.get("batches", kind)(**options).sample(data, size, np.random.default_rng(0))
    everything = data.images(np.arange(len(data)))
    same = (batch.images[:, None] == everything).all(axis=(2, 3, 4))
    assert (same.sum(axis=1) == 1).all(), "images that can be told apart"
    return batch, same.argmax(axis=1)


TOLD_APART = {"resolution": 32, "shape": 1, "orientation": 1, "x": 6, "y": 6}


def test_images_and_two_batches() -> None:
    data = load_dataset("dsprites", **TOLD_APART)
    batch, index = seen("images", data, 8)
    np.testing.assert_array_equal(index, data.draw(8, np.random.default_rng(0)))
    assert batch.population == len(data) == 216
    assert len(seen("two", data, 8)[1]) == 16
    assert batch.changed is None


@pytest.mark.parametrize("known", [True, False])
def test_pairs_differ_in_changed_factors_only(known: bool) -> None:
    data = load_dataset("dsprites", **TOLD_APART)
    batch, index = seen("pairs", data, 200, k=1, known=known)
    first, second = data.labels(index[:100]), data.labels(index[100:])
    assert batch.population == len(data)
    assert (batch.changed.sum(axis=1) == 1).all()
    assert not ((first != second) & ~batch.changed).any()
    assert (first != second)[batch.changed].mean() > 0.7
    assert (index == seen("pairs", data, 200, k=1, known=known)[1]).all()


def test_pairs_of_the_data_sets_own() -> None:
    images = np.random.default_rng(0).integers(256, size=(24, 16, 16)).astype(np.uint8)
    own = np.array([[0, 23], [5, 7], [12, 13]])
    factors = FactorSpace(("a", "b"), (4, 6)).rows(np.arange(24))
    data = ArrayImages(images, factors, names=("a", "b"), pairs=own)
    for kind in ("pairs", "transitions"):
        batch, index = seen(kind, data, 40)
        assert {tuple(pair) for pair in index.reshape(2, 20).T} == {tuple(pair) for pair in own}
        assert batch.changed is None
    batch, index = seen("pairs", data, 40, known=True)  # made from the factors, for what is shared is known
    assert not ((factors[index[:20]] != factors[index[20:]]) & ~batch.changed).any()
    np.testing.assert_array_equal(Hidden(data, ["a"]).pairs, own)
    np.testing.assert_array_equal(Subset(data, np.arange(1, 15)).pairs, [[4, 6], [11, 12]])
    np.testing.assert_array_equal(SubGrid(data, {"a": [0, 1, 2]}).pairs, [[5, 7], [12, 13]])
    with pytest.raises(BadInput, match="none of its own pairs is left"):
        Pairs().sample(Subset(data, np.arange(1, 4)), 4, np.random.default_rng(0))
    with pytest.raises(BadInput, match="not in a given number of factors"):
        seen("pairs", data, 4, k=1)
    with pytest.raises(BadInput, match="not at a given rate"):
        seen("transitions", data, 4, rate=2.0)
    with pytest.raises(BadInput, match="do not say what they share"):
        Pairs(known=True).sample(ArrayImages(images, pairs=own), 4, np.random.default_rng(0))
    for wrong in ([[0, 24]], [[-1, 2]], [[0.5, 1]], [0, 1], np.empty((0, 2), int)):
        with pytest.raises(BadInput, match=r"pairs must be \(m, 2\) numbers of images in 0\.\.23"):
            ArrayImages(images, pairs=np.array(wrong))


@pytest.mark.parametrize("kind", ["pairs", "transitions"])
def test_no_grid_to_make_pairs_from(kind: str) -> None:
    with pytest.raises(BadInput, match="no grid of factors to make such batches from, and no array of pairs"):
        registry.get("batches", kind)().sample(load_dataset("digits"), 4, np.random.default_rng(0))
    hidden = load_dataset("dsprites", **TOLD_APART, hide=["scale"])
    assert len(registry.get("batches", kind)().sample(hidden, 4, np.random.default_rng(0)).images) == 4
    with pytest.raises(BadInput, match=r"hides factors.*hide=\[\]"):
        Pairs(known=True).sample(hidden, 4, np.random.default_rng(0))


def test_a_labelled_part() -> None:
    data = load_dataset("digits")
    rows = labelled_rows(data, 100)
    assert len(set(rows)) == 100
    np.testing.assert_array_equal(rows, labelled_rows(data, 100))
    assert (rows != labelled_rows(data, 100, seed=1)).any()
    with pytest.raises(BadInput, match="labelled_images=5000 is not allowed; digits has 1 to 1797"):
        labelled_rows(data, 5000)


def test_nuisances_are_uniform_and_belong_to_their_image() -> None:
    index = np.arange(20_000)
    numbers = uniform(index, 3, seed=0)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert numbers.mean(axis=0) == pytest.approx(0.5, abs=0.01)
    assert np.histogram(numbers[:, 0], 10, (0, 1))[0] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.03
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.03, "neighbouring images"
    np.testing.assert_array_equal(uniform(index[[7, 3]], 3, 0), numbers[[7, 3]])
    assert (uniform(index, 3, seed=1) != numbers).mean() > 0.99
    some = uniform_bytes(index[:2000], 13, 0)
    assert some.shape == (2000, 13)
    assert some.mean() == pytest.approx(127.5, abs=2)


def test_dsprites_variants_are_the_studys() -> None:
    plain = load_dataset("dsprites")
    index = np.random.default_rng(0).integers(len(plain), size=400)
    inside = plain.images(index) == 255
    colour = load_dataset("color_dsprites").images(index)
    means = np.array([c[:, m[0]].mean(axis=1) for c, m in zip(colour, inside, strict=True)])
    assert (colour.transpose(0, 2, 3, 1)[~inside[:, 0]] == 0).all()
    assert means.min() >= 128
    assert means.mean() == pytest.approx(0.75 * 255, abs=3)
    noisy = load_dataset("noisy_dsprites").images(index).transpose(0, 2, 3, 1)
    assert (noisy[inside[:, 0]] == 255).all(), "sprites are white"
    assert noisy[~inside[:, 0]].mean() == pytest.approx(127.5, abs=0.5)
    scream = load_dataset("scream_dsprites")
    assert "not the painting" in scream.source
    first, again = scream.images(index), load_dataset("scream_dsprites", seed=1).images(index)
    assert (first != again).mean() > 0.5


def test_the_painting_is_used_where_it_lies_in_the_data_folder(tmp_path: Path) -> None:

    Image.new("RGB", (700, 548), (200, 100, 0)).save(tmp_path / "scream.jpg")
    data = load_dataset("scream_dsprites", data_dir=tmp_path)
    assert "background: file scream.jpg" in data.source
    plain = load_dataset("dsprites").images(np.arange(5)) == 255
    images = data.images(np.arange(5)).astype(int)
    for image, inside in zip(images, plain[:, 0], strict=True):
        outside = image[:, ~inside][:, 0]
        assert (abs(image[:, ~inside] - outside[:, None]) <= 2).all(), "one colour outside"
        assert (abs(image[:, inside] - (255 - outside[:, None])) <= 2).all(), "inverted inside"
    ramp = np.zeros((274, 350, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(350) // 2, np.arange(274)[:, None] // 2
    (tmp_path / "scream").mkdir()
    (tmp_path / "scream.jpg").unlink()
    Image.fromarray(ramp).save(tmp_path / "scream" / "scream.jpg", quality=100)
    images = load_dataset("scream_dsprites", data_dir=tmp_path).images(np.arange(200)).astype(int)
    across = images[:, 0, 0, -1] - images[:, 0, 0, 0]
    assert across.mean() == pytest.approx(63 / 4, abs=2), "half of a crop of 64 pixels, of half a level each"
    lefts, tops = images[:, 0, 0, 0], images[:, 1, 0, 0]
    assert len(set(lefts)) > 50, "crops and colours differ"
    assert len(set(tops)) > 50
    (tmp_path / "scream.jpg").write_bytes(b"no picture")
    with pytest.raises(BadInput, match=r"scream\.jpg cannot be read as an image"):
        load_dataset("scream_dsprites", data_dir=tmp_path)


def test_a_changed_file_is_another_data_set_whatever_a_study_does(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(256, size=(400, 16, 16)).astype(np.uint8)
    factors = np.stack(np.divmod(np.arange(400), 20), axis=1)
    changed = images.copy()
    changed[133] += 1  # none of the 64 that are spread over it
    for option in (
        {},
        {"hide": ["factor_0"]},
        {"held_out": {"factor_0": 3}},
        {"perturb": {"by": "diagonal"}},
    ):
        found = []
        for held in (images, images, changed):
            np.savez(tmp_path / "own.npz", images=held, factors=factors)
            found.append(load_dataset(tmp_path / "own.npz", **option).fingerprint())
        assert found[0] == found[1] != found[2]
    own = ArrayImages(images, factors)
    assert (
        Subset(own, np.arange(300)).fingerprint()
        != Subset(own, [*range(133), *range(134, 301)]).fingerprint()
    )


def test_correlated_factors_where_images_are_not_drawn_batch_by_batch() -> None:
    data = load_dataset("one_square", correlate={"factors": ["x", "y"], "sigma": 0.02})
    labelled = data.labels(labelled_rows(data, 8, seed=1))
    assert (labelled[:, 0] == labelled[:, 1]).all()
    assert len(np.unique(labelled, axis=0)) == 8
    with pytest.raises(BadInput, match="labelled_images=100 is not allowed; only"):
        labelled_rows(data, 100)
    with pytest.raises(BadInput, match="leave out correlate"):
        vocabulary_of(Hidden(data, []))


def test_images_are_built_anew_for_another_picture(tmp_path: Path) -> None:
    found = []
    for grey in (250, 5):
        Image.new("RGB", (80, 80), (grey,) * 3).save(tmp_path / "scream.jpg")
        build_images("scream_dsprites", data_dir=tmp_path, show=False, **SMALL)
        found.append(load_dataset("scream_dsprites", data_dir=tmp_path, **SMALL).images(np.arange(9)))
        drawn = load_dataset("scream_dsprites", data_dir=tmp_path, seed=0, **SMALL)
        np.testing.assert_array_equal(found[-1], drawn.images(np.arange(9)))
    assert (found[0] != found[1]).any()
    (path,) = {*(tmp_path / "built").iterdir()} - {max((tmp_path / "built").iterdir(), key=os.path.getmtime)}
    np.save(path, np.load(path).astype(np.float64))
    Image.new("RGB", (80, 80), (250,) * 3).save(tmp_path / "scream.jpg")
    with pytest.raises(BadInput, match="holds float64, which scream_dsprites does not; remove it"):
        load_dataset("scream_dsprites", data_dir=tmp_path, **SMALL)


def test_built_images_are_the_drawn_ones(tmp_path: Path) -> None:
    drawn = load_dataset("color_dsprites", **SMALL)
    path = build_images("color_dsprites", data_dir=tmp_path, show=False, **SMALL)
    assert path.stat().st_size == pytest.approx(len(drawn) * 3 * 16 * 16, abs=200)
    data = load_dataset("color_dsprites", data_dir=tmp_path, **SMALL)
    assert isinstance(data, Built)
    check_dataset(data)
    assert (data.source, data.fingerprint()) == (drawn.source, drawn.fingerprint()), (
        "a run can go on with either"
    )
    index = np.array([5, 1, 900])
    np.testing.assert_array_equal(data.images(index), drawn.images(index))
    assert not isinstance(load_dataset("color_dsprites", data_dir=tmp_path, seed=1, **SMALL), Built)
    before = path.stat().st_mtime_ns
    assert build_images("color_dsprites", data_dir=tmp_path, show=False, **SMALL).stat().st_mtime_ns == before
    studied = load_dataset("color_dsprites", data_dir=tmp_path, held_out={"shape": 1}, hide=["x"], **SMALL)
    assert path.name in studied.note, "what a study does to data takes the built images too"


def test_a_built_file_is_that_of_its_own_values_only(tmp_path: Path) -> None:
    """Two parts of a grid that differ in one value among a hundred."""
    part = {"resolution": 16, "azimuth": 1, "elevation": 1}
    first, second = ([v for v in range(40) if v != skipped] for skipped in (20, 21))
    build_images("cars3d_drawn", data_dir=tmp_path, show=False, object=first, **part)
    assert isinstance(load_dataset("cars3d_drawn", data_dir=tmp_path, object=first, **part), Built)
    assert not isinstance(load_dataset("cars3d_drawn", data_dir=tmp_path, object=second, **part), Built)


def test_what_cannot_be_built(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no data folder to build in"):
        build_images("dsprites")
    with pytest.raises(BadInput, match=r"unknown data set 'mine\.npz'"):
        build_images("mine.npz", data_dir=tmp_path)


def test_a_build_that_breaks_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    draw = DSprites.images

    def interrupted(self: DSprites, index: np.ndarray) -> np.ndarray:
        calls.append(len(index))
        if len(calls) == 4:  # one image for the type, then two pieces
            raise KeyboardInterrupt
        return draw(self, index)

    monkeypatch.setattr(DSprites, "images", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_images("dsprites", data_dir=tmp_path, show=False, resolution=16, orientation=1, x=16, y=16)
    assert len(calls) == 4
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_hidden_factors_stay_hidden_whatever_a_study_does() -> None:
    for options in (
        {},
        {"hide": ["lighting"]},
        {"hide": "lighting"},
        {"held_out": {"category": 1}},
        {"correlate": {"factors": ["category", "azimuth"], "sigma": 0.3}},
        {"azimuth": 6},
    ):
        data = load_dataset("smallnorb_drawn", resolution=16, **options)
        assert "instance" not in data.label_names, options
    assert "instance" in load_dataset("smallnorb_drawn", resolution=16, hide=[]).label_names
    card = load_dataset("smallnorb_drawn").card()
    assert card["hidden"] == ["instance"]
    assert card["factors"]["instance"] == 10
    assert card["bytes"] == 48_600 * 64 * 64


def test_held_out_combinations_of_correlated_factors() -> None:
    data = load_dataset(
        "dsprites", correlate={"factors": ["x", "y"], "sigma": 0.1}, held_out={"shape": [0, 1]}, **SMALL
    )
    rows = data.labels(data.draw(3000, np.random.default_rng(0)))
    assert set(rows[:, 0]) == {2}
    assert np.corrcoef(rows[:, 2], rows[:, 3])[0, 1] > 0.8


def test_pairs_begin_with_what_the_data_set_draws() -> None:
    data = load_dataset("dsprites", correlate={"factors": ["x", "y"], "sigma": 0.02}, **SMALL)
    seen = []
    data.images = lambda index: seen.append(index) or np.zeros((len(index), *data.image_shape), np.uint8)
    Pairs().sample(data, 1000, np.random.default_rng(0))
    first = data.factors.rows(seen[0][:500])
    assert np.corrcoef(first[:, 2], first[:, 3])[0, 1] > 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hide": 3}, "hide=3 is not allowed; give names"),
        ({"hide": {"shape": 1}}, "is not allowed; give names"),
        ({"held_out": {"shape": []}}, r"give whole numbers in 0\.\.2"),
        ({"held_out": {"shape": [[1], [1, 2]]}}, r"give whole numbers in 0\.\.2"),
        ({"correlate": {"factors": ["x", "y"], "sigma": "a"}}, "sigma='a' is not allowed"),
        ({"correlate": {"factors": ["x", "y"], "kind": ["a"]}}, "unknown kind of joint"),
        ({"correlate": {"factors": ["x", "y"], "joint": [[1], [1, 2]]}}, "must be a table of numbers"),
    ],
)
def test_options_of_the_wrong_type(options: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load_dataset("dsprites", **options, **SMALL)


def test_a_grid_of_your_own_takes_the_same_options(tmp_path: Path) -> None:
    factors = np.stack(np.unravel_index(np.arange(24), (4, 6)), axis=1)
    images = np.zeros((24, 16, 16), np.uint8)
    images[:, 0] = factors[:, :1] * 10
    np.savez(tmp_path / "own.npz", images=images, factors=factors, factor_names=["a", "b"])
    data = load_dataset(tmp_path / "own.npz", a=2, hide=["b"])
    assert len(data) == 12
    assert data.label_names == ("a",)
    with pytest.raises(BadInput, match=r"unknown setting of own\.npz 'hde'; did you mean 'hide'"):
        load_dataset(tmp_path / "own.npz", hde=["b"])


def test_a_run_goes_on_with_built_images(tmp_path: Path) -> None:
    import distaff

    def train(steps: int) -> distaff.Run:
        data = load_dataset("dsprites", data_dir=tmp_path, **SMALL)
        return distaff.train(
            "vae", data, steps=steps, out=tmp_path / "run", threads=1, batch_size=8, show=False
        )

    train(5)
    build_images("dsprites", data_dir=tmp_path, show=False, **SMALL)
    assert train(10).config.steps == 10
