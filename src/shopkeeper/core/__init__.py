"""What every layer shares: errors, settings, schema, operations. Standard library and pydantic only."""
