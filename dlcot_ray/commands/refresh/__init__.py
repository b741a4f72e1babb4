"""`dlcot refresh`: the data set made anew every night, at the price of what changed.

A root holds one folder per night (`snapshots/2026-11-23/`), each a whole output of `dlcot enhance`, and one
small pointer (`latest.json`) that says which of them readers take. The way of a night:

    command.py   which action; who holds the lease (`lease.py`)
    night.py     inputs and settings -> nothing to do | resume | a new snapshot
    known.py     what the last night knew (`job/facts.py`) -> the index of annotations (`job/recall.py`)
    carry.py     units of which nothing changed: copied inside the store, not read
    (the job)    the rest: read, recall or judge, edit, write, as `dlcot enhance` does it
    report.py    the night against the last one; bounds; as Markdown: report_text.py
    root.py      the pointer is switched, last and conditionally
    retention.py what nothing refers to any more goes

Three decisions shape it.

1. **A snapshot equals a from-scratch run.** Nothing in it depends on how it came about: annotations are
   found by content (`judging/fingerprint.py`), units carried over are those whose bytes would be the same.
   So a snapshot can be checked against an independent run, and no fault of one night lives on in the next.
2. **Whole folders instead of shared objects.** Unchanged units are copied (a server-side copy, on local
   disks a hard link) instead of being referred to in a content-addressed area: N snapshots on S3 take N times
   the bytes, and one copy request per object and night. In return every snapshot is a plain folder of Parquet
   for any reader, removing one never touches another, and there are no references to count.
3. **The store is the only state, and every change of it is conditional.** Lease, catalogue and pointer are
   three small objects that are replaced only if they are what was read before. A refresh that was thought
   dead and wakes up can write nothing that counts: it writes the same bytes into its own folder, and its
   switch of the pointer fails.
"""
