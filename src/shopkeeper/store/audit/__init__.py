"""The audit log: a capability. ``chain`` holds :class:`~shopkeeper.store.audit.chain.Audit`."""
