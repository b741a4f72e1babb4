"""How a job reports: progress line, summary, event log, metrics."""
