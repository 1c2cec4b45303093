"""Studies: many runs, one results table, and what the table says."""
