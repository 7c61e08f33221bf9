"""Labels for the shop's own readers: people's, by a queue, and a language model's, under a budget."""
