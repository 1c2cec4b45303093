"""Batches: what a method sees at a step, by seed and step alone. One file a kind."""
