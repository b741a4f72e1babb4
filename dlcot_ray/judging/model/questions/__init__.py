"""The questions that a model is asked about a trace: one table, the languages of the answers, the wording."""
