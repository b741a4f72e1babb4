"""`dlcot enhance` as a script, for `ray job submit -- python jobs/enhance.py key=value ...`."""

import sys

from dlcot_ray.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("enhance", sys.argv[1:]))
