"""Hostile text over every pure step, the helper of the CAS, and whole units; `make fuzz` tries far more of it."""
