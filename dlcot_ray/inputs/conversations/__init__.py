"""Conversations: where their thinking lies, and how another thinking is written back into them."""
