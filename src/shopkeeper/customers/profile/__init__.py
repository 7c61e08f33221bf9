"""One customer: everything that is known, each with its evidence and date."""
