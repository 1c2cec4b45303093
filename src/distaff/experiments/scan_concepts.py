"""Concepts of SCAN where vision is perfect: what they know, what they leave open, and their operators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from distaff.batches.lessons import Lessons, plan_lessons
from distaff.batches.operators import Pairs, draw_pairs, pair_up, result
from distaff.concepts import OPERATORS, Concept, Vocabulary, attributes
from distaff.evaluation.concepts.scores import accuracy, agreement, diversity
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.factors import FactorSpace
from distaff.methods.base import Codes
from distaff.methods.scan import GROUNDINGS, Scan, symbol_networks
from distaff.methods.scan_operators import ScanOperators, combined, operator_network
from distaff.methods.state import adam, descend
from distaff.methods.terms import sampled
from distaff.pages.figures import heat_map
from distaff.randomness import derived

Rows = NDArray[np.int64]

SPACE = FactorSpace(("wall", "floor", "colour", "object", "turn"), (5, 5, 5, 3, 5))
VOCABULARY = Vocabulary(SPACE, ("wall", "floor", "colour", "object"))
EMPTY, SIGMA = 4, 0.1  # latents that say nothing; deviation of those that do
LATENTS = len(SPACE.sizes) + EMPTY
FACTORS = frozenset(range(len(SPACE.sizes)))
TAUGHT, EXAMPLES, HELD_OUT = 133, 10, 30
SAMPLES = 100  # of each concept that is judged
OTHERS = 100  # concepts that were not taught, and pairs of each operator, that are judged


class Scale(base.Scale, frozen=True):
    """Steps of SCAN and of its operators."""

    steps: int = 4000
    operator_steps: int = 1500
    seeds: int = 3


class ScanConcepts(Experiment[Scale]):
    """Grounded by the forward KL concepts leave open what they do not name; by the reverse KL they do not.

    Higgins et al. 2018 (SCAN, arXiv:1707.03389), where vision is perfect, so that nothing but the learning of
    concepts is tried: of four attributes of 5, 5, 5 and 3 values and a nuisance of 5, each is the mean of a
    latent of its own, evenly spread to variance 1, with a deviation of .1; four more latents are empty, with
    the prior as posterior. 133 concepts of all levels are taught by ten examples each, by the losses and
    networks of the methods `scan` and `scan_operators`; 30 that name every attribute are held out. What
    samples of a concept show is the nearest value of each latent. A concept is judged by 100 samples:
    accuracy is the share of the attribute values asked for that they show, diversity the KL of the uniform
    distribution to that of the values shown of attributes that are not named, nats, the mean over these.

    Operators are taught of half of the pairs of taught concepts that AND has a meaning for, and of as many
    for each of the others. They are judged by 100 pairs each that were held out, against the concept that
    the algebra makes of the two. Most of what IN COMMON and IGNORE make of such pairs is a concept that was
    taught or that they were shown images of by other pairs; it is AND that makes new ones.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 10 seconds", 30, 30, seeds=1),
        "nano": Scale("one core, three minutes"),
        "small": Scale("one core, ten minutes", seeds=10),
        "paper": Scale("one core, 40 minutes", 20_000, 10_000, seeds=10),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        seeds = range(lab.scale.seeds)
        worlds = {(kind, n): learned(kind, lab.scale, n) for kind in GROUNDINGS for n in seeds}
        rows = [{"grounding": kind, "seed": n, **of_concepts(made, n)} for (kind, n), made in worlds.items()]
        table = lab.table("Concepts", rows)
        forward, reverse = (table[table["grounding"] == kind].set_index("seed") for kind in GROUNDINGS)
        operators = lab.table(
            "Operators on pairs held out (forward grounding)",
            [row for n in seeds for row in of_operators(worlds["forward", n], lab.scale, n)],
        )
        for kind in GROUNDINGS:
            lab.figure(f"Deviation of each latent of some concepts, {kind} KL", _sigmas(worlds[kind, 0]))
        yield self.found("named", forward["sigma named"])
        yield self.found("unnamed", forward["sigma not named"])
        for key in ("accuracy", "diversity", "accuracy untaught", "diversity untaught", "words"):
            yield self.found(key.replace(" ", "_"), forward[key])
        yield self.found("reverse", reverse["diversity"] / forward["diversity"])
        yield self.found("reverse_unnamed", reverse["sigma not named"])
        for key, name in zip(("and_", "in_common", "ignore"), OPERATORS, strict=True):
            yield self.found(key, operators[operators["operator"] == name]["accuracy"])
        yield self.found("open", operators.groupby("seed")["sigma not named"].min())


class Learned(NamedTuple):
    """What a world is taught, and the networks that learned it."""

    scan: Scan
    lessons: Lessons
    modules: nn.ModuleDict

    def concepts(self, concepts: Sequence[Concept], rng: torch.Generator) -> Codes:
        """The codes of concepts."""
        symbols = torch.from_numpy(VOCABULARY.symbols(concepts))
        return self.scan.encode_symbols(self.modules, symbols, rng)


def known(rows: Rows) -> tuple[Tensor, Tensor]:
    """Mean and log-variance (n, LATENTS) of what shows rows (n, k) of factors: perfect vision."""
    sizes = np.array(SPACE.sizes)
    spread = np.sqrt((sizes**2 - 1) / 12)  # of the whole numbers 0..size - 1
    means = np.zeros((len(rows), LATENTS), dtype=np.float32)
    means[:, : len(sizes)] = (rows - (sizes - 1) / 2) / spread
    logvar = np.zeros_like(means)
    logvar[:, : len(sizes)] = 2 * np.log(SIGMA)
    return torch.from_numpy(means), torch.from_numpy(logvar)


def shown(codes: Tensor) -> Rows:
    """The values (n, named) that codes (n, LATENTS) show: the nearest of each attribute."""
    sizes = np.array(SPACE.sizes)
    values = codes.numpy()[:, : len(sizes)] * np.sqrt((sizes**2 - 1) / 12) + (sizes - 1) / 2
    nearest = np.clip(np.rint(values), 0, sizes - 1).astype(np.int64)
    return nearest[:, [SPACE.position(name) for name in VOCABULARY.named]]


def learned(grounding: str, scale: Scale, seed: int) -> Learned:
    """The concepts of a world of its own, by the loss and networks of `scan`."""
    scan, drawing = Scan(grounding=grounding), np.random.default_rng(derived(seed, "examples"))
    lessons = plan_lessons(VOCABULARY, TAUGHT, EXAMPLES, HELD_OUT, seed)
    rng = torch.Generator().manual_seed(seed)
    modules = symbol_networks(LATENTS, lessons.symbols.shape[1], rng)
    optimiser = adam(modules.parameters())
    for _ in range(scale.steps):
        numbers = drawing.integers(len(lessons.taught), size=scan.batch_size)
        seen = sampled(*known(lessons.examples(numbers, drawing)), rng)
        loss = scan.grounded(modules, seen, torch.from_numpy(lessons.symbols[numbers]), rng)
        descend(optimiser, loss.total, scan.learning_rate)
    return Learned(scan, lessons, modules.requires_grad_(False))


def of_concepts(made: Learned, seed: int) -> dict[str, float]:
    """What is measured of concepts that were taught and of others, and of the words of every row."""
    rng = torch.Generator().manual_seed(derived(seed, "judge"))
    others = made.lessons.untaught(OTHERS, np.random.default_rng(derived(seed, "untaught")))
    found = judged(made.concepts(made.lessons.taught, rng), made.lessons.taught, rng)
    untaught = judged(made.concepts(others, rng), others, rng)
    rows = SPACE.rows(np.arange(len(SPACE)))
    words = made.scan.decode_symbols(made.modules, known(rows)[0]).numpy()
    found |= {f"{name} untaught": untaught[name] for name in ("accuracy", "diversity")}
    return found | {"words": agreement(words, rows, VOCABULARY)}


def judged(codes: Codes, concepts: Sequence[Concept], rng: torch.Generator) -> dict[str, float]:
    """Means over concepts, of their codes: deviations of latents by what they code, accuracy, diversity."""
    sigmas = torch.exp(codes.logvar / 2)
    places = [attributes(concept) for concept in concepts]
    drawn = codes.mean + sigmas * torch.randn((SAMPLES, *codes.mean.shape), generator=rng)
    seen = [shown(drawn[:, n]) for n in range(len(concepts))]
    pairs = list(zip(seen, concepts, strict=True))
    return {
        "sigma named": _mean(sigmas[n, k] for n, said in enumerate(places) for k in said),
        "sigma not named": _mean(sigmas[n, k] for n, said in enumerate(places) for k in FACTORS - said),
        "sigma empty": float(sigmas[:, -EMPTY:].mean()),
        "accuracy": _mean(accuracy(each, concept, VOCABULARY) for each, concept in pairs),
        "diversity": _mean(diversity(each, concept, VOCABULARY) for each, concept in pairs),
    }


def _mean(values: Iterable[float | Tensor]) -> float:
    """The mean of what is a number."""
    return float(np.nanmean([float(value) for value in values]))


def of_operators(made: Learned, scale: Scale, seed: int) -> list[dict[str, float | str]]:
    """What operators learn from some pairs of taught concepts, on pairs that were held out."""
    every = pair_up(made.lessons, 0, seed).taught
    pairs = pair_up(made.lessons, min(map(len, every)) // 4, seed)  # both orders of a pair count there
    network = taught_operators(made, pairs, scale.operator_steps, seed)
    rng = torch.Generator().manual_seed(derived(seed, "judge operators"))
    drawing = np.random.default_rng(derived(seed, "judge operators"))
    rows: list[dict[str, float | str]] = []
    for number, (name, held_out) in enumerate(zip(OPERATORS, pairs.held_out, strict=True)):
        chosen = held_out[drawing.permutation(len(held_out))[:OTHERS]]
        first, second = (_concepts(made, numbers, rng) for numbers in chosen.T)
        codes_made = combined(network, first, second, torch.full((len(chosen),), number), rng)
        found = judged(codes_made, [result(made.lessons, pair, number) for pair in chosen], rng)
        rows.append({"operator": name, "seed": seed, **found})
    return rows


def taught_operators(made: Learned, pairs: Pairs, steps: int, seed: int) -> nn.Module:
    """psi, by the loss and network of `scan_operators`."""
    how, drawing = ScanOperators(), np.random.default_rng(derived(seed, "operators"))
    rng = torch.Generator().manual_seed(derived(seed, "operators"))
    network = operator_network(rng)
    optimiser = adam(network.parameters())
    for _ in range(steps):
        drawn = draw_pairs(made.lessons, pairs.taught, how.batch_size, drawing)
        seen = sampled(*known(drawn.rows), rng)
        first, second = (_concepts(made, numbers, rng) for numbers in drawn.pairs.T)
        codes_made = combined(network, first, second, torch.from_numpy(drawn.operators), rng)
        descend(optimiser, GROUNDINGS[made.scan.grounding](seen, codes_made), how.learning_rate)
    return network.requires_grad_(False)


def _concepts(made: Learned, numbers: Rows, rng: torch.Generator) -> Codes:
    """The codes of concepts that were taught, by their numbers."""
    return made.scan.encode_symbols(made.modules, torch.from_numpy(made.lessons.symbols[numbers]), rng)


def _sigmas(made: Learned) -> Figure:
    """The deviation of every latent of a concept of each level, in order of what they name."""
    firsts = {len(concept): concept for concept in reversed(made.lessons.taught)}
    concepts = [firsts[level] for level in sorted(firsts)]
    codes = made.concepts(concepts, torch.Generator().manual_seed(0))
    names = [*SPACE.names, *(f"empty {n + 1}" for n in range(EMPTY))]
    values = torch.exp(codes.logvar / 2).numpy()
    return heat_map(values, [*map(VOCABULARY.describe, concepts)], names, ("concept", "latent"), (0, 1.2))
