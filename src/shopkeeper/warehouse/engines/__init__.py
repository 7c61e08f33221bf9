"""Engines that run queries: one file each, chosen by the setting ``engine``."""
