"""What other libraries return on fixed arrays, a file a library; see __main__.py."""
