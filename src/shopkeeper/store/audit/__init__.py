"""The audit log of every write: list, verify. The class is in ``chain``."""
