"""Numeric claims: found, re-evaluated, and called false only where a trace asserts them."""
