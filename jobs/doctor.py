"""`dlcot doctor` as a script, for `ray job submit -- python jobs/doctor.py key=value ...`."""

import sys

from dlcot_ray.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("doctor", sys.argv[1:]))
