"""Backups of a whole shop: made while it is served, verified by decoding, restored into an empty folder."""
