"""What the kinds of model load when one is opened: libraries that take seconds to import."""
