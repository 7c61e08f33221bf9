"""Long operations under way on the server: how far they are, what came out, and stopping them."""
