"""How each house reader is made from what was written: one file each, found by its name."""
