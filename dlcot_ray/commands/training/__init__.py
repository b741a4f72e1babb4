"""`dlcot train-judge`: a small judge from the annotations of a large one, or from labels."""
