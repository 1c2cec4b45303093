"""Matrices of images to complete, and how soon a network learns to from what a run makes of them."""
