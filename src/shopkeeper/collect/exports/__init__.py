"""Kinds of export: one file each, found by name. Each has ``ABOUT`` and ``write(shop, folder, progress)``."""
