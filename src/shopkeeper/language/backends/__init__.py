"""Kinds of language model, one file each, found by its name."""
