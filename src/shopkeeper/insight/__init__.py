"""What customers say: themes, hot topics."""
