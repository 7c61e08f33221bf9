"""Typed questions about texts and who answers them: student, teacher, cascade, people. Knows no shop."""
