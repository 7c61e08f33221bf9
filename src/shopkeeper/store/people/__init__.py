"""People who may sign in: who they are, what they may do, and links that let them in once.

The classes are in ``persons`` and ``invitations``.
"""
