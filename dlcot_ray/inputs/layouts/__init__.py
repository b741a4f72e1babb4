"""Which layout a data set has, by what its columns hold: sampled, checked, chosen, and told to the user."""
