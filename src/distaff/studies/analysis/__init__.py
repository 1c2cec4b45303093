"""What the results table of a study says: a function of the table each."""
