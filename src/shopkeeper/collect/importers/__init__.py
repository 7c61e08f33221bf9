"""Importers: one file each, found by name. Each has ``ABOUT`` and ``stages(request, stage)``."""
