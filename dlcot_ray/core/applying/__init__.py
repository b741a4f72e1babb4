"""Applying a policy: evidence for what stays, where a cut is in doubt, and the ladder that cuts less."""
