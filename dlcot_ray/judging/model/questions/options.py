"""The questions of the model judge that only some policies read, by the name that `ask` gives them."""

from __future__ import annotations

ERRORS_OPTION = "errors"
"""Which steps of an approach are false; read by `errors=delete` and `errors=repair`."""
CAUSES_OPTION = "causes"
"""What is wrong in each; read by `errors=repair`."""
CHECK_METHODS_OPTION = "check_methods"
"""Which checks use the same method; read by policies that drop repeated checks."""
OPTIONS = (ERRORS_OPTION, CAUSES_OPTION, CHECK_METHODS_OPTION)
