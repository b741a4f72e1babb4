"""Whose an output is: the lease of a running job, the record that claims it, marks of what dlcot wrote."""
