"""Pure facts and functions: traces, units, annotations, edits, policies, evidence. No I/O."""
