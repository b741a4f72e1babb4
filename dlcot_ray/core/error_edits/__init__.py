"""Errors that a trace holds, in the text that an edit keeps: taken out, or repaired by a writer."""
