"""Whether segments and predictions treat groups of customers alike."""
