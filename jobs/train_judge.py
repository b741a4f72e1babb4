"""`dlcot train-judge` as a script, for `ray job submit -- python jobs/train_judge.py key=value ...`."""

import sys

from dlcot_ray.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("train-judge", sys.argv[1:]))
