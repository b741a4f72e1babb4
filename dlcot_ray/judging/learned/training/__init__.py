"""Training the learned judge: from labelled traces to weights. Needs more than the base install."""
