"""What reads a table from a file, by its kind."""
