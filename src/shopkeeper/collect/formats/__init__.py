"""File formats: one file each, found by name. Each has ``read(source, options) -> Sheet``."""
