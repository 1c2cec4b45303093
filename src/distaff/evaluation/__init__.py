"""Evaluation: encode a run once, score it."""
