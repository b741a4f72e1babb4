"""The `dlcot` command line: a command, then `key=value` settings.

`COMMANDS` and `VIEWERS` are the whole dispatch. `jobs/*.py` call the same entry points, so a command does
the same in a shell and under `ray job submit`. Only the modules of the chosen command are imported.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from dlcot_ray import __version__
from dlcot_ray.credentials import scrubbed
from dlcot_ray.errors import Busy, ConfigError, InputFault, JobError, did_you_mean, reason_of
from dlcot_ray.terminal import drop_stdout, note, prepare_streams, stdout_fault, tell

TRACEBACK_VARIABLE = "DLCOT_TRACEBACK"
_INSTALL = "install dlcot-ray again in an environment of its own, and any system library that it names"


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        summary: what it does, in one line.
        settings: its dataclass of settings (``module:class``).
        load: makes the settings from the words (``module:function``).
        run: runs the command with its settings (``module:function``).
        example: words that one may type after the command's name.
    """

    summary: str
    settings: str
    load: str
    run: str
    example: str


COMMANDS: dict[str, Command] = {
    "enhance": Command(
        "annotate and enhance Parquet shards of long reasoning traces",
        "dlcot_ray.config.settings:EnhanceConfig",
        "dlcot_ray.config.loading:load_enhance",
        "dlcot_ray.commands.enhance:run_enhance",
        "input=examples/shards output=out/first",
    ),
    "derive": Command(
        "apply another policy to the annotations of a finished job, without judging",
        "dlcot_ray.config.settings:DeriveConfig",
        "dlcot_ray.config.loading:load_derive",
        "dlcot_ray.commands.derive:run_derive",
        "annotations=out/first output=out/second policy=keep_first",
    ),
    "select": Command(
        "copy the best traces of each problem out of a finished output",
        "dlcot_ray.config.view_settings:SelectConfig",
        "dlcot_ray.config.view_settings:load_select",
        "dlcot_ray.commands.selecting.command:run_select",
        "input=out/first output=out/short select=shortest_correct",
    ),
    "evaluate": Command(
        "score a judge on sets labelled by people",
        "dlcot_ray.config.settings:EvaluateConfig",
        "dlcot_ray.config.loading:load_evaluate",
        "dlcot_ray.commands.evaluate:run_evaluate",
        "set=gold",
    ),
    "agreement": Command(
        "say how far the labels of two readers agree",
        "dlcot_ray.config.view_settings:AgreementConfig",
        "dlcot_ray.config.view_settings:load_agreement",
        "dlcot_ray.commands.agreement:run_agreement",
        "labels-ana.jsonl labels-ben.jsonl traces=out/first",
    ),
    "train-judge": Command(
        "train a small judge from the annotations of a large one, or from labels",
        "dlcot_ray.config.training_settings:TrainJudgeConfig",
        "dlcot_ray.config.training_settings:load_train_judge",
        "dlcot_ray.commands.training.command:run_train_judge",
        "annotations=out/large traces=examples/shards output=out/judge",
    ),
    "refresh": Command(
        "make and publish a new snapshot; only new and changed traces are judged",
        "dlcot_ray.config.settings:RefreshConfig",
        "dlcot_ray.config.loading:load_refresh",
        "dlcot_ray.commands.refresh.command:run_refresh",
        "input=s3://bucket/traces output=s3://bucket/enhanced",
    ),
    "doctor": Command(
        "check this machine and the places of a job, with a remedy for each fault",
        "dlcot_ray.config.view_settings:DoctorConfig",
        "dlcot_ray.config.view_settings:load_doctor",
        "dlcot_ray.commands.doctor.command:run_doctor",
        "input=s3://bucket/traces output=s3://bucket/out",
    ),
    "inspect": Command(
        "show how the columns of the input are read, on a sample, before a job",
        "dlcot_ray.config.view_settings:InspectConfig",
        "dlcot_ray.config.view_settings:load_inspect",
        "dlcot_ray.commands.inspect.command:run_inspect",
        "examples/shards",
    ),
    "profile": Command(
        "show what traces are like, on a sample: structure, efficiency, faults, what would be cut",
        "dlcot_ray.config.view_settings:ProfileConfig",
        "dlcot_ray.config.view_settings:load_profile",
        "dlcot_ray.commands.profiling.command:run_profile",
        "examples/shards sample=500",
    ),
    "plan": Command(
        "forecast what a job does and costs, from input metadata and a sample",
        "dlcot_ray.config.settings:PlanConfig",
        "dlcot_ray.config.loading:load_plan",
        "dlcot_ray.commands.plan.command:run_plan",
        "input=examples/shards judge=qwen3-8b-fp8 gpu=h100",
    ),
    "status": Command(
        "show the progress of a job, from its output alone",
        "dlcot_ray.config.view_settings:StatusConfig",
        "dlcot_ray.config.view_settings:load_status",
        "dlcot_ray.commands.status:run_status",
        "out/first --watch",
    ),
    "verify": Command(
        "audit an output: counts, edits, ids, annotations, manifest",
        "dlcot_ray.config.view_settings:VerifyConfig",
        "dlcot_ray.config.view_settings:load_verify",
        "dlcot_ray.commands.verify.command:run_verify",
        "out/first",
    ),
}

VIEWERS: dict[str, tuple[str, str]] = {
    "diff": (
        "show traces of an output before and after, segment by segment",
        "dlcot_ray.commands.viewing.diff:main",
    ),
    "view": (
        "serve an output to a browser; label traces",
        "dlcot_ray.commands.viewing.view:main",
    ),
    "report": ("write a page that shows an output in a browser", "dlcot_ray.commands.viewing.report:main"),
}
"""Commands that take options (``--id``) instead of settings."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit status (`commands.exits.Exit`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    if words and words[0] in ("--version", "-V"):
        return _guarded(lambda: _print(f"dlcot {__version__}"))
    if not words or words[0] in ("--help", "-h", "help"):
        return _guarded(lambda: _print(_usage(), 0 if words else 2))
    name, *rest = words
    if name not in COMMANDS and name not in VIEWERS:
        return _complain(f"there is no command {name!r}; {did_you_mean(name, [*COMMANDS, *VIEWERS])}", 2)
    return run_command(name, rest)


def run_command(name: str, words: Sequence[str]) -> int:
    """Run one command with its words; a failure becomes one line on stderr and an exit status."""
    if name in VIEWERS:
        return _guarded(lambda: int(_resolve(VIEWERS[name][1])(words)))
    command = COMMANDS[name]
    if any(word in ("--help", "-h") for word in words):
        return _guarded(lambda: _print(command_help(name, command)))
    return _guarded(lambda: int(_resolve(command.run)(_resolve(command.load)(words))))


def _guarded(run: Callable[[], int]) -> int:
    previous = signal.signal(signal.SIGTERM, _stop)
    try:
        status = run()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        drop_stdout()
        return _complain("stdout was closed before everything was printed", 1)
    except ConfigError as error:
        return _complain(str(error), 2)
    except Busy as error:
        return _complain(str(error), 5)
    except (JobError, InputFault) as error:
        return _complain(str(error), 1)
    except KeyboardInterrupt:
        return _complain("stopped; finished units are kept: run the same command again to resume", 1)
    except ImportError as error:
        if (error.name or "").startswith("dlcot_ray"):
            return _bug(error)
        return _complain(f"a package cannot be imported ({reason_of(error, 300)}); {_INSTALL}", 1)
    except Exception as error:
        if _is_without_directory():
            return _complain("the working directory was removed; change to another one and run again", 1)
        if isinstance(error, OSError) and error.filename is None and (fault := stdout_fault()):
            drop_stdout()
            return _complain(f"stdout cannot be written ({fault}); give it another file", 1)
        return _bug(error)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _bug(error: Exception) -> int:
    text = reason_of(error, 500, named=True)
    return _complain(f"{text}; this is a bug: set {TRACEBACK_VARIABLE}=1 and report what it prints", 1)


def _is_without_directory() -> bool:
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def _resolve(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(message: str, status: int) -> int:
    # Where stderr cannot be written, the exit status still tells.
    with suppress(OSError):
        if os.environ.get(TRACEBACK_VARIABLE) and sys.exc_info()[0] is not None:
            tell(scrubbed(traceback.format_exc()), error=True)
        note(message)
    return status


def _print(text: str, status: int = 0) -> int:
    tell(text)
    return status


def _usage() -> str:
    summaries = {name: command.summary for name, command in COMMANDS.items()}
    summaries |= {name: summary for name, (summary, _) in VIEWERS.items()}
    width = max(map(len, summaries))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in summaries.items()]
    return "\n".join(
        [
            "usage: dlcot COMMAND key=value ...   (dlcot diff OUT --id ID)",
            "",
            *lines,
            "",
            "dlcot COMMAND --help lists the settings; dlcot --version prints the version.",
            "exit status: 0 success, 1 failed or stopped, 2 usage error, 3 finished with faults,",
            "5 another job writes there now; refresh also: 4 snapshot held back (a bound is exceeded)",
        ]
    )


def command_help(name: str, command: Command) -> str:
    """The help of a command: a YAML file with every setting, its help and its default."""
    from dlcot_ray.config.fields import help_text

    head = [
        f"usage: dlcot {name} key=value ... [config=FILE.yaml]",
        f"example: dlcot {name} {command.example}",
        command.summary,
        "Set a key on the command line (key=value, group.key=value) or in a YAML file (config=FILE.yaml);",
        "the command line wins. This text is such a file, with every default.",
    ]
    return "\n".join([*(f"# {line}" for line in head), "", help_text(_resolve(command.settings))])


if __name__ == "__main__":
    sys.exit(main())
