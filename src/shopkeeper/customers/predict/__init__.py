"""Predictions about customers: who stays away, who orders again, and what a customer will be worth."""
