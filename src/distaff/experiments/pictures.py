"""Figures that several experiments draw, by their old names."""

from distaff.pages.figures import against, axes, bars, curves, heat_map, latents_against
from distaff.pages.images import image_grid
from distaff.pages.palette import COLOURS

__all__ = ["COLOURS", "against", "axes", "bars", "curves", "heat_map", "image_grid", "latents_against"]
