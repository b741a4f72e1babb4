"""What a job says: progress, summary, log, metrics."""
