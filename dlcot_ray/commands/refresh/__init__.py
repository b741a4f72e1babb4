"""`dlcot refresh`: a new snapshot of the data set; only new and changed traces are judged.

The root of a refresh holds one folder per snapshot (`snapshots/2026-11-23/`). Each is a complete output of
`dlcot enhance`. One small object, the pointer (`latest.json`), names the snapshot that readers take. The
modules, in the order in which a refresh uses them:

    command.py     the action: refresh, publish, remove, list
    lease.py       one refresh at a time
    identity.py    inputs and settings -> nothing to do | resume a snapshot | a new snapshot
    build.py       one snapshot from its inputs to its report, by means of:
      reuse.py       facts of earlier snapshots, and the index of their annotations
      copy_units.py  unchanged units are copied inside the store
      (the job)      the other units: read, reuse annotations or judge, edit, write, as in `dlcot enhance`
      report.py      the snapshot against the previous one; `changes.py` counts, `report_text.py` formats
    root.py        the pointer and the catalogue; the pointer is switched last, by compare-and-swap
    retention.py   removal of old snapshots

Three design decisions:

1. **A snapshot equals a run from scratch.** Its content does not depend on how it was made. Annotations are
   found by content (`judging/fingerprint.py`), and a unit is copied only if a new run would write the same
   bytes. So a snapshot can be checked against an independent run, and a fault in one does not spread.
2. **Whole folders instead of shared objects.** Unchanged units are copied (on S3 inside the store, on local
   disks as hard links); they are not references into a shared area. N snapshots on S3 take N times the bytes,
   and each object costs one copy request per refresh. In return, every snapshot is a plain folder of Parquet
   files, removing one never affects another, and nothing has to count references.
3. **All state is in the store, and every change of it is a compare-and-swap.** Lease, catalogue and pointer
   are three small objects. Each is replaced only if it is still what was read. A refresh that lost its lease
   while its machine slept does no harm: it writes the same bytes into its own folder, and its switch of the
   pointer fails.
"""
