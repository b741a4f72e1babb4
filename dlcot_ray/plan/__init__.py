"""Which rows are one work unit, what is done, what repeats an id, and a sample."""
