import pandas as pd
import pytest

from distaff.experiments.reconstruction_and_score import above_the_line, by_strength

LOSS = {("beta_vae", 1): 10.0, ("beta_vae", 4): 30.0, ("factor_vae", 6): 15.0, ("factor_vae", 20): 40.0}
SCORE = {("beta_vae", 1): 0.6, ("beta_vae", 4): 0.8, ("factor_vae", 6): 0.7, ("factor_vae", 20): 0.9}


def test_scores_are_compared_at_equal_loss_on_the_line_of_the_same_seed() -> None:
    rows = [
        {"method": kind, "strength": strength, "seed": seed, "reconstruction": loss,
         "score": SCORE[kind, strength] - 0.1 * seed * (kind == "beta_vae")}
        for (kind, strength), loss in LOSS.items()
        for seed in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows).sample(frac=1, random_state=0)
    loss, score = by_strength(table, "reconstruction"), by_strength(table, "score")
    assert loss["factor_vae"][6].tolist() == [15.0, 15.0]
    above = above_the_line(loss, score)
    # at a loss of 15 the line is a quarter of the way from .6 to .8; beyond 30 it stays
    assert above[6].tolist() == pytest.approx([0.7 - 0.65, 0.7 - 0.55])
    assert above[20].tolist() == pytest.approx([0.9 - 0.8, 0.9 - 0.7])
