"""Measures of a shop: who was active, what was sold, who came back; each with the rows behind it."""
