"""Metric functions: pure, over plain numbers and arrays, each with its source."""
