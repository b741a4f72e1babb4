"""Judges, which turn a trace into an annotation, and writers, which supply repairs and bridges."""
