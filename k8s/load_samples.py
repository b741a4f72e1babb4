"""Copies sample traces into a store: `python k8s/load_samples.py FOLDER URL`.

The development overlay runs it before it submits its job, so that one `kubectl apply` is enough to try it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fsspec.core import url_to_fs


def load(folder: Path, url: str) -> int:
    """Copy the Parquet files of `folder` to `url`; returns how many."""
    files, root = url_to_fs(url)
    shards = sorted(folder.glob("*.parquet"))
    for shard in shards:
        files.pipe_file(f"{root}/{shard.name}", shard.read_bytes())
    return len(shards)


def main() -> int:
    """Copy the files and print their number; exit status 1 if there are none."""
    folder, url = sys.argv[1:]
    copied = load(Path(folder), url)
    print(f"{copied} shards of {folder} copied to {url}")
    return 0 if copied else 1


if __name__ == "__main__":
    sys.exit(main())
