"""Themes of texts: found, named, kept from run to run."""
