"""Jobs that only tests have: slow ones, ones that crash, and ones that never report."""
