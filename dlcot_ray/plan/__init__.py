"""Work units: which rows each has, which are complete, rows that repeat an id, and samples."""
