"""Fault injection: parts of running jobs are killed, many times each."""
