"""One work unit: rows in, objects out. No Ray."""
