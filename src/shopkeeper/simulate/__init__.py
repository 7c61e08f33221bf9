"""A shop with known truth: catalogue, customers, events and texts that follow from a scenario and a seed."""
