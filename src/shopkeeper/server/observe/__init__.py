"""What the server tells about itself: logs, metrics, traces, readiness; never personal data."""
