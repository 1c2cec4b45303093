"""The explorer: one HTML file of a run in which its decoder runs in the browser."""
