"""Recommend: what each customer is likely to want next, and why."""
