"""Figures of traces as they are, before any edit: pure functions over `Trace` and `Annotation`."""
