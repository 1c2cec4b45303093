"""Worlds: grids of factors in which actions lead from frame to frame and are rewarded."""
