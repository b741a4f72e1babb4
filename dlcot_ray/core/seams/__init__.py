"""Loose ends that an edit leaves: how each is found, and how it is closed (DLCoT step 6)."""
