"""API keys of programs and web pages: make, list, revoke. The class is in ``ring``."""
