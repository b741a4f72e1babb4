"""Replies: where their tags of thinking stand, and how they are split into thinking and visible text."""
