"""`dlcot select`: which traces of a problem to train on."""
