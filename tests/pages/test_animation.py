"""Traversals as a film."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import distaff as command
from PIL import Image

from distaff.errors import BadInput
from distaff.evaluation.posterior import active
from distaff.pages import animation
from distaff.pages.animation import CAPTION, FRAMES, GAP, animate, frame
from distaff.pages.seen import see
from distaff.pages.traversals import traversals
from distaff.training.run import load_run


def test_it_goes_there_and_back_over_every_active_latent(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "a")
    run = load_run(tmp_path / "a")
    with Image.open(animate(run, show=False)) as film:
        assert film.n_frames == 2 * FRAMES - 2
        assert film.info["loop"] == 0
    seen = see(run, show=False)
    count = int(active(seen.encoding).sum())
    times = 128 // run.data.image_shape[1]
    side = times * run.data.image_shape[1]
    assert film.width == min(count, 5) * (side + GAP) + GAP
    assert film.height == -(-count // 5) * (side + CAPTION) + GAP
    strips = traversals(run, seen.encoding, seen.order.tolist(), FRAMES)
    first = strips[0].images
    assert len(first) == FRAMES
    drawn = np.asarray(frame(strips[:1], 3))[GAP : GAP + side, GAP : GAP + side]
    shown = drawn[::times, ::times, 0]
    np.testing.assert_array_equal(shown, np.round(255 * np.clip(first[3][0], 0, 1)).astype(np.uint8))


def test_from_the_command_line(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(trained, tmp_path / "a")
    status, out, _ = command(capsys, "report", tmp_path / "a", "--animate")
    assert status == 0
    assert out.split() == [str(tmp_path / "a" / name) for name in ("report.html", "traversals.gif")]


def test_where_nothing_moves_it_is_one_line(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "a")
    monkeypatch.setattr(animation, "active", lambda encoding: np.zeros(encoding.mean.shape[1], dtype=bool))
    with pytest.raises(BadInput, match="is active, so nothing would move"):
        animation.animate(tmp_path / "a", show=False)
    assert not (tmp_path / "a" / "traversals.gif").exists()
