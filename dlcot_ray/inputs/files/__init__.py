"""The input files of a job: which there are, what they are called, what planning needs of them."""
