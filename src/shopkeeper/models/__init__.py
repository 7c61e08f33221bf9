"""Language models: which there are, what they answer, and what they cost."""
