"""The method on one trace as pure functions: segments, annotations, policies, edits (DLCoT section 3).

In: a trace and its annotation. Out: an edit script and the enhanced reasoning. Nothing here reads or writes
files, asks a model or imports another room.
"""
