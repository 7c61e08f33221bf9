"""The HTTP API, the worker that writes the tables and does the jobs, and what keeps both running."""
