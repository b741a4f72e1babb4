"""Checks of a finished output on its stored tables, with none of the code that wrote them."""
