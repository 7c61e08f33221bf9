"""Segments by rules: their language, what a definition selects, who is in, and why."""
