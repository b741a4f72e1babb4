"""A job on a Ray cluster: the graph of its phases, its supervision, and the ledger of its workers."""
