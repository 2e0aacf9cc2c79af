"""Readers of official publications: raw file in, tidy table out; one module a publication."""
