"""Experiments: one claim of a paper a file, run at a scale and judged against its bounds."""
