"""Writing for customers: templates with variables, checked, and approved by another person."""
