"""Spans of a text that no segment boundary may cut: code, mathematics, tables, HTML."""
