"""Whether a text states an answer to what its problem asks."""
