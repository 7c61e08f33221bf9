"""Counts of people that tell nothing of one of them."""
