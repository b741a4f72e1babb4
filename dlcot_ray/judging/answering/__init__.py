"""The answers of one trace: the reference, what each segment states, and their comparison."""
