"""What a shop owes the people in its data: export, restriction, erasure with proof, retention."""
