"""What is looked for in the words of a template, one file a concern."""
