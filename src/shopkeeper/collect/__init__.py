"""How data come in: files by importers and mappings, live calls by Segment's protocol."""
