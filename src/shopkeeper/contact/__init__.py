"""Reaching customers: whether, when and how; the outbox's senders, channels, and what came of messages."""
