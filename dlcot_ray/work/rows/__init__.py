"""How the rows of a unit run: a limit on their CPU time, and who is told of them."""
