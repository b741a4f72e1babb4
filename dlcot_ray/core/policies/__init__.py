"""Policies: which segments of an annotated trace to drop (DLCoT step 5)."""
