"""Metrics as pure functions over plain numbers and arrays, each with its source."""
