"""The web console: pages over the operations, in Chinese and English, for people who sign in."""
