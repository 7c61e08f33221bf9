"""Pure numbers: sufficient statistics that add, and intervals made of them. Speaks to no table."""
