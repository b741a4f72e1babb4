"""Objects in a directory, on S3 or at any fsspec URL: list, read, put, compare-and-swap."""
