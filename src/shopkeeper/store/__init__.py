"""Operational state in SQLite or PostgreSQL: the intake log, people, keys, consent, audit, jobs."""
