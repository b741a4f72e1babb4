"""`dlcot profile`: what traces are like, before anything is cut."""
