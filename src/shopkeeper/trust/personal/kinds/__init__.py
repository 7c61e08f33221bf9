"""One file for each kind of personal data; each exports ``RECOGNISER`` and is found by its name."""
