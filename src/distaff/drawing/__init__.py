"""Geometry to pixels: what drawn data sets are drawn with. It knows no data set."""
