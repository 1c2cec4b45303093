"""Reporting: one HTML file that shows what a run has learned."""
