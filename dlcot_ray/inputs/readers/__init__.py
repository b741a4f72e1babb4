"""File formats: one protocol, one module per format, and the registry that finds the format of a file."""
