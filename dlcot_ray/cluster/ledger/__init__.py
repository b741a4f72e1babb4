"""The ledger of a job: which worker has which unit in flight, and what crashed whom."""
