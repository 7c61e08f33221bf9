"""The decision record: why somebody got a message or a list, or nothing, and what came of it."""
