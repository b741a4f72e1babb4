"""Policies: which segments of a judged trace to drop."""
