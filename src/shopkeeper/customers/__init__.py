"""Know: who the customers are, in groups that a person can act on."""
