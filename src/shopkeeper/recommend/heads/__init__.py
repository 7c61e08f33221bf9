"""The models that a recommendation is mixed from: one file each, found by its name."""
