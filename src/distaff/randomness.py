"""One way to derive randomness: every purpose has streams of its own, which no other seed or number meets."""

import zlib

import numpy as np


def derived(seed: int, purpose: str, number: int = 0) -> int:
    """The seed, below 2^32, that a seed gives the `number`-th stream of a purpose.

    seed + number would not do: seed 0 at number 1 is seed 1 at number 0. Of a run, the weights' stream is the
    seed itself and a batch's is [seed, step] (distaff.batches.feed), as they have been from the beginning.
    """
    key = (zlib.crc32(purpose.encode()), number)
    return int(np.random.SeedSequence(seed, spawn_key=key).generate_state(1)[0])
