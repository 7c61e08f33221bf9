"""API keys: a capability. ``ring`` holds the class :class:`~shopkeeper.store.keys.ring.Keys`."""
