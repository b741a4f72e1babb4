"""The commands that show an output to a person: `diff` in the terminal, `report` and `view` in a browser."""
