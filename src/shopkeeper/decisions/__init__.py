"""Choices made for customers: who is assigned what, with which probability, and the log of them."""
