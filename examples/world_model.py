"""A world model that logs, as it learns, how well its states stand for those of the world.

python examples/world_model.py

A shape moves about on a grid; the model sees a frame and an action, and predicts the next. MIG and R2 of
its latent states are of all rows since the line before, from counts and sums: nothing is encoded twice.
"""

import numpy as np
import torch
from torch import nn

import distaff
from distaff.worlds.grid import GridWorld

STEPS = 3000
LATENTS, BATCH = 6, 128

data = distaff.load_dataset("dsprites", resolution=16, shape=1, scale=3, orientation=1, x=8, y=8)
world, rng = GridWorld(data), np.random.default_rng(0)
torch.manual_seed(0)
encoder = nn.Sequential(nn.Flatten(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, LATENTS), nn.Tanh())
transition = nn.Linear(LATENTS + world.actions, LATENTS)
decoder = nn.Sequential(nn.Linear(LATENTS, 128), nn.ReLU(), nn.Linear(128, 256))
model = nn.ModuleList([encoder, transition, decoder])
optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
stream = distaff.Stream(["mig", "linear_r2"], ranges=(-1, 1))

for step in range(1, STEPS + 1):
    states, actions = rng.integers(len(data), size=BATCH), rng.integers(world.actions, size=BATCH)
    later = world.table.to[states, actions, 0]
    frames, next_frames = (torch.from_numpy(data.images(index)).float() / 255 for index in (states, later))
    codes = encoder(frames)
    taken = nn.functional.one_hot(torch.from_numpy(actions), world.actions)
    predicted = codes + transition(torch.cat([codes, taken], dim=1))
    errors = decoder(codes) - frames.flatten(1), decoder(predicted) - next_frames.flatten(1)
    loss = sum(error.square().sum(dim=1).mean() for error in errors)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    stream.update(codes, data.labels(states))
    if step % (STEPS // 10) == 0:
        print(step, f"loss {loss.item():.2f}", *(f"{k} {v:.3f}" for k, v in stream.compute().items()))
        stream.reset()
