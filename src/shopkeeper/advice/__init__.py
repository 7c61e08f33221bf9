"""What to do next: for whom, with what, why now, what it should bring, and the test that would settle it."""
