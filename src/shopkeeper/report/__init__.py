"""One page that says how the shop does, why, and what to do: every number opens to its rows."""
