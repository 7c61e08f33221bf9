"""Pure rules about what may be said and kept. Speaks to no table, no file and no network."""
