"""Designs, one module each; every fit gives its numbers through one labelled frame."""
