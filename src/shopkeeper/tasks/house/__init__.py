"""House readers: small models in the package, trained on texts written for it, that read with no network."""
