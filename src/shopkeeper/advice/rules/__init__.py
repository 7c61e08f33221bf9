"""Rules of advice: each file looks at the shop for one kind of occasion."""
