"""`dlcot status` as a script, for `ray job submit -- python jobs/status.py key=value ...`."""

import sys

from dlcot_ray.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("status", sys.argv[1:]))
