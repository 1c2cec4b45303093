"""What an agent makes of a run's codes: it learns in one domain of a world, and is judged in all."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from distaff import registry
from distaff.evaluation.acting.agent import Lesson, check_installed, chosen_actions
from distaff.files import read_json, read_kept, write_json
from distaff.settings import whole_number
from distaff.training.lock import only_one
from distaff.training.run import ENCODE_BATCH, Run, load_run
from distaff.worlds.planning import best_return, greedy_return, random_return
from distaff.worlds.world import World

FILE = "acting.json"
STEPS = 300_000  # in the world
IDLE = 0.1  # columns that vary less than that share of the largest deviation are not blown up


class Returns(Struct, frozen=True):
    """Expected returns in a domain: the agent's, the best that there is, and that of random actions."""

    agent: float
    best: float
    random: float


class Acted(Struct, frozen=True):
    """What an agent was, and its returns by domain, that in which it learned first."""

    world: str
    steps: int
    seed: int
    domains: dict[str, Returns]


def acting(
    run: Run | str | os.PathLike[str], world: str, *, steps: int = STEPS, seed: int = 0, show: bool = True
) -> Acted:
    """Have an agent learn in a registered world from a run's mean codes, and judge it; kept in the folder.

    The codes of all frames are made once. DQN learns from them for `steps` steps in the world's first domain,
    and its greedy policy is judged in every domain, by its expected return, exactly. The same call again
    reads what was found, and goes on where it stopped. Raises BadInput where the run's data are not of
    the world, and without the extra `act`.
    """
    run = run if isinstance(run, Run) else load_run(run)
    registry.check("worlds", world)
    steps, seed = whole_number("steps", steps, 1), whole_number("seed", seed, 0)
    check_installed()
    with only_one(run.folder), run.threads():
        run.check_current()
        kept = read_acted(run)
        if kept is not None and (kept.world, kept.steps, kept.seed) == (world, steps, seed):
            return kept
        there: World = registry.get("worlds", world)(run.data)
        _ = there.table  # an error where it is too large, before anything is encoded
        observations = scaled(codes_of(run, there), there.domains[there.learned_in])
        found = judged(Lesson(there, observations, steps, seed), run.folder, show)
        write_json(run.folder / FILE, found)
    return found


def judged(lesson: Lesson, folder: Path, show: bool = True) -> Acted:
    """What an agent, which is kept in a folder, gets in every domain of its world."""
    chosen, world = chosen_actions(lesson, folder, show), lesson.world
    each = {
        domain: Returns(
            agent=greedy_return(world, chosen, domain),
            best=best_return(world, domain),
            random=random_return(world, domain),
        )
        for domain in world.domains
    }
    return Acted(world.name, lesson.steps, lesson.seed, each)


def scaled(codes: ArrayLike, places: ArrayLike) -> NDArray[np.float32]:
    """Codes (s, d) with mean 0 and deviation 1 over those at `places` (n,), in which an agent learns.

    A column is divided by a tenth of the largest deviation at least, so that idle ones stay small.
    """
    centre, deviation = scaling(codes, places)
    return ((np.asarray(codes, dtype=np.float64) - centre) / deviation).astype(np.float32)


def scaling(codes: ArrayLike, places: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What `scaled` subtracts from each column, and by what it divides: (d,) each."""
    seen = np.asarray(codes, dtype=np.float64)[np.asarray(places)]
    deviation = seen.std(axis=0)
    least = max(IDLE * deviation.max(), np.finfo(np.float64).tiny)
    return seen.mean(axis=0), np.maximum(deviation, least)


def codes_of(run: Run, world: World) -> NDArray[np.float32]:
    """The mean codes (s, d) of the frames of all states."""
    starts = range(0, len(world.states), ENCODE_BATCH)
    parts = (world.data.images(world.states[start : start + ENCODE_BATCH]) for start in starts)
    return np.concatenate([run.encode(images).mean for images in parts])


def read_acted(run: Run) -> Acted | None:
    """What `acting` kept in a run folder, or None."""
    return read_kept(run.folder / FILE, functools.partial(read_json, kind=Acted), "--acting")


def rows(found: Acted) -> list[tuple[str, float, float, float]]:
    """Of every domain its name, the agent's return, the best one, and that of random actions."""
    return [(name, each.agent, each.best, each.random) for name, each in found.domains.items()]
