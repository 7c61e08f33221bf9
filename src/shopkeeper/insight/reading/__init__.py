"""What customers' texts say, one by one: the readers' answers become rows of ``readings``."""
