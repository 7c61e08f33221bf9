"""The house writer: a grammar in both languages, made of facts alone."""
