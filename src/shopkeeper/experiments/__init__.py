"""Experiments: planned with their price, run on hashed buckets, judged by the rule that was chosen."""
