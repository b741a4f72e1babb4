"""A judge that asks a language model: prompts, questions, the program of a trace; no engine in here."""
