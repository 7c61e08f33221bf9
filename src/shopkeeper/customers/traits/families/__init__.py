"""Families of traits, one file each.

A family has any of: ``tallies(scene)``, what it asks of the shared pass; ``frames(scene)``, frames by
customer of its own; ``steps(scene)``, columns that several of its traits are made of, worked out once;
``columns(scene)``, its traits as expressions over all of those. Words and units of
each trait stand in ``traits.toml``. One that is ``OPTIONAL`` is computed only where it is asked for.
"""
