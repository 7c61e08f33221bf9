"""What customers allow and refuse, by purpose and channel, with its proof."""
