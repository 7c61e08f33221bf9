"""Language models and what guards every way to one."""
