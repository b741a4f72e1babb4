"""Judges: who reads a trace and annotates its structure."""
