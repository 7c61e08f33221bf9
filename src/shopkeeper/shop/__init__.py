"""The composition root: a shop is its tables, its state, its clock and its settings."""

from shopkeeper.shop.shop import Shop

__all__ = ["Shop"]
