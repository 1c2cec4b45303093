"""An agent that learns in a world: stable-baselines3's DQN, kept as safetensors. Needs the extra `act`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from distaff.errors import BadInput
from distaff.methods.state import State
from distaff.networks import conv
from distaff.networks.initial import fresh
from distaff.networks.threads import torch_threads
from distaff.progress import progress
from distaff.randomness import derived
from distaff.training.checkpoint import load_tensors, save_tensors
from distaff.training.device import arithmetic, choose_device
from distaff.worlds.world import World

PART = 10_000  # steps between checkpoints
WORLDS = 20  # environments side by side, each of which takes every so many-th step
JUDGED = 4_096  # states at once
FEATURES = 256  # of an image, before the layers that all agents have
#: Mnih et al. 2015 (doi:10.1038/nature14236), smaller and quicker: it explores all along, as episodes begin
#: anywhere. Codes want more updates than true factors do: with one in 20 steps nothing was learned from them
DQN: dict[str, Any] = {
    "learning_rate": 5e-4,
    "buffer_size": 100_000,
    "learning_starts": 1_000,
    "batch_size": 64,
    "train_freq": 1,
    "gradient_steps": 8,
    "target_update_interval": 1_000,
    "exploration_initial_eps": 0.3,
    "exploration_final_eps": 0.3,
}
LAYERS = (256, 256)
Observed = NDArray[Any]


class Lesson(NamedTuple):
    """What determines an agent: its world, what it observes of each state (s, ...), its steps and its seed.

    It observes codes (s, d) in float32, or frames (s, C, H, W) in uint8, which go through convolutions.
    """

    world: World
    observations: Observed
    steps: int
    seed: int


def check_installed() -> None:
    """One clear error where the extra is missing."""
    try:
        import gymnasium  # noqa: F401
        import stable_baselines3  # noqa: F401
    except ImportError:
        raise BadInput("acting needs gymnasium and stable-baselines3: pip install 'distaff[act]'") from None


def chosen_actions(lesson: Lesson, folder: Path, show: bool = True) -> NDArray[np.int64]:
    """The action (s,) that the agent takes in every state: the one it thinks worth most.

    The agent is read from the folder, or learns and is kept there. It is saved beside it every 10,000 steps,
    so that the same call goes on from there after a stop, to the same bytes. One that sees frames learns on
    a GPU where there is one; codes are too small to gain by it.
    """
    check_installed()
    path = kept_at(lesson, folder)
    with torch_threads(1), arithmetic():
        if not path.exists():
            _learn(lesson, path, show)
        network = _model(lesson).q_net
        with _damage(path):
            network.load_state_dict(load_tensors(path))
        with torch.inference_mode():
            parts = np.array_split(lesson.observations, max(1, len(lesson.observations) // JUDGED))
            seen = (torch.from_numpy(np.ascontiguousarray(part)).to(network.device) for part in parts)
            worth = torch.cat([network(part) for part in seen])
    return np.asarray(worth.argmax(dim=1).cpu().numpy())


def kept_at(lesson: Lesson, folder: Path) -> Path:
    """Where in a folder the agent of a lesson is kept."""
    return folder / f"agent-{key(lesson)}.safetensors"


def key(lesson: Lesson) -> str:
    """What tells the agents in a folder apart: a hash of all that determines one."""
    world, observations, steps, seed = lesson
    facts = (world.name, observations.shape, str(observations.dtype), steps, seed, DQN, LAYERS, WORLDS)
    found = hashlib.sha256(repr(facts).encode())
    found.update(np.ascontiguousarray(observations).data)
    return found.hexdigest()[:12]


def _learn(lesson: Lesson, path: Path, show: bool) -> None:
    """Parts of PART steps, each from what the one before has left in the checkpoint."""
    checkpoint = path.with_name(f"{path.stem}.partial.safetensors")
    state = load_tensors(checkpoint) if checkpoint.exists() else {}
    done = int(state.get("done", 0))
    with progress("acting", lesson.steps, done, show) as report:
        while done < lesson.steps:
            count = min(PART, lesson.steps - done)
            with _randomness_of_its_own():
                model, state = _part(lesson, state, done, count)
            done += count
            if done < lesson.steps:
                save_tensors(checkpoint, state)
            report(done)
    save_tensors(path, dict(model.q_net.state_dict()))
    checkpoint.unlink(missing_ok=True)


def _part(lesson: Lesson, state: dict[str, Tensor], done: int, count: int) -> tuple[Any, dict[str, Tensor]]:
    """A model that has learned for `count` more steps from a state, and its state then.

    Every part has a model, environments and randomness of its own, so that nothing but the state counts.
    """
    model = _model(lesson)
    if state:
        _restore(model, state)
    model.set_random_seed(derived(lesson.seed, "acting", done))
    model.num_timesteps = done  # learning starts by it
    model.learn(count, reset_num_timesteps=False)
    return model, _state(model) | {"done": torch.tensor(done + count)}


def _model(lesson: Lesson) -> Any:
    """A fresh DQN in environments of the world's first domain."""
    from stable_baselines3 import DQN as Agent
    from stable_baselines3.common.vec_env import DummyVecEnv

    from distaff.worlds.environment import Environment

    make = lambda: Environment(lesson.world, observations=lesson.observations)  # noqa: E731
    policy: dict[str, Any] = {"net_arch": list(LAYERS)}
    frames = lesson.observations.dtype == np.uint8
    if frames:
        policy |= {
            "features_extractor_class": _convolutions(),
            "features_extractor_kwargs": {"seed": lesson.seed},
        }
    with _randomness_of_its_own():
        return Agent(
            "MlpPolicy",
            DummyVecEnv([make] * WORLDS),
            gamma=lesson.world.gamma,
            seed=derived(lesson.seed, "agent"),
            policy_kwargs=policy,
            device=choose_device("auto" if frames else "cpu"),
            **DQN,
        )


def _convolutions() -> Any:
    """The encoder of the VAEs, learned from scratch, in front of an agent's layers."""
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

    class Convolutions(BaseFeaturesExtractor):
        """Frames (n, C, H, W) in 0..1 to features (n, 256)."""

        def __init__(self, space: Any, seed: int) -> None:
            super().__init__(space, FEATURES)
            generator = torch.Generator().manual_seed(derived(seed, "convolutions"))
            self.network = fresh(lambda: conv.encoder(space.shape, FEATURES), generator)

        def forward(self, images: Tensor) -> Tensor:
            features: Tensor = self.network(images).relu()
            return features

    return Convolutions


BUFFER = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def _learned(model: Any) -> State:
    """The networks and Adam of a model."""
    return State(nn.ModuleDict({"policy": model.policy}), {"adam": model.policy.optimizer})


def _state(model: Any) -> dict[str, Tensor]:
    """All that the next part needs: networks, Adam and memory."""
    buffer = model.replay_buffer
    filled = buffer.buffer_size if buffer.full else buffer.pos
    memory = {f"buffer/{name}": torch.from_numpy(getattr(buffer, name)[:filled]) for name in BUFFER}
    return _learned(model).tensors() | memory | {"position": torch.tensor(buffer.pos)}


def _restore(model: Any, state: dict[str, Tensor]) -> None:
    """Put a state into a fresh model."""
    beside = {"done", "position", *(f"buffer/{name}" for name in BUFFER)}
    _learned(model).load({name: value for name, value in state.items() if name not in beside})
    buffer = model.replay_buffer
    for name in BUFFER:
        kept = state[f"buffer/{name}"]
        getattr(buffer, name)[: len(kept)] = kept.numpy()
    buffer.pos = int(state["position"])
    buffer.full = len(state["buffer/rewards"]) == buffer.buffer_size


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """One clear error where the file is not of this agent."""
    try:
        yield
    except RuntimeError:
        raise BadInput(f"{path} holds another agent; remove it") from None


@contextmanager
def _randomness_of_its_own() -> Iterator[None]:
    """Leave the global generators, which stable-baselines3 seeds and draws from, as they were."""
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        torch.set_rng_state(kept[2])
