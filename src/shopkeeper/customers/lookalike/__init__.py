"""Customers who are like those on a list."""
