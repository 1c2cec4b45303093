"""Pages: every HTML page and every figure, from one template, one palette and one set of figures."""
