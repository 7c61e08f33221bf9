"""Shopkeeper 掌柜: know each customer, act, measure what worked."""

__version__ = "0.1.0"
