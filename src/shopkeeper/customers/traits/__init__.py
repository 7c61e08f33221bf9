"""Traits: what is known of each customer, one column each, from one pass over the events."""
