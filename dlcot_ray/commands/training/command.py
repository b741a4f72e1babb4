"""`dlcot train-judge`: trains a small judge, calibrates it, and reports on traces that it never saw.

In: traces with annotations of a large judge, or labels. Out: a folder that `judge_options.model` of
`judge=learned` takes. The same inputs and settings give the same weights, byte for byte.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from dlcot_ray import __version__
from dlcot_ray.cluster.judge_pool import Place
from dlcot_ray.cluster.spread import spread
from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.scoring import Scored, score_sets
from dlcot_ray.commands.training.examples import Examples, Part, read_examples
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.training_settings import TrainJudgeConfig
from dlcot_ray.errors import ConfigError, JobError
from dlcot_ray.evaluation.calibration import calibration_error, reliability
from dlcot_ray.evaluation.evaluate import Options as ScoreOptions
from dlcot_ray.evaluation.report import EvaluationReport, to_json, to_markdown
from dlcot_ray.evaluation.scores import Graded
from dlcot_ray.inputs.label_files import LabelSet
from dlcot_ray.judging.learned.network import Network
from dlcot_ray.judging.learned.sureness import calibrated
from dlcot_ray.judging.learned.weights import FILE, Weights, to_bytes
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import absolute, is_local
from dlcot_ray.telemetry.cleaned_console import terminal

if TYPE_CHECKING:
    from dlcot_ray.judging.learned.training.chain import Rows

SHOWN = (
    "sections.kappa",
    "boundary.f1_within",
    "label.accuracy",
    "check.f1_within",
    "dropped.mean_f1",
)
"""Figures of the table that is printed; the report has all."""


def run_train_judge(config: TrainJudgeConfig) -> Exit:
    """Run `dlcot train-judge`.

    Raises:
        ConfigError: the output is not local.
        JobError: scipy or torch is missing, or an input cannot be used.
    """
    output = _output(config)
    if importlib.util.find_spec("scipy") is None:
        raise JobError("training needs scipy", "pip install 'dlcot-ray[train]'")
    if config.network and importlib.util.find_spec("torch") is None:
        raise JobError("a network needs torch", "pip install 'dlcot-ray[network]', or leave network=true out")
    console = terminal(highlight=False)
    examples = read_examples(config)
    counts = {part.value: len(examples.of(part)) for part in Part}
    _say(console, ", ".join(f"{count:,} traces {name.replace('_', ' ')}" for name, count in counts.items()))
    if not counts[Part.TRAINED_ON]:
        raise JobError("no trace is left to train on", "give more traces, or a smaller held_out=")
    weights, steps, seen = _trained(examples, config, console)
    output.put(FILE, to_bytes(weights))
    training = {
        "fingerprint": weights.fingerprint,
        "dlcot_version": __version__,
        "traces": counts,
        "left_out": list(examples.left_out),
        "settings": {
            "held_out": config.held_out,
            "penalty": config.penalty,
            "limit": config.limit,
            "network": config.network,
        },
        "steps": steps,
        "calibration": seen,
    }
    output.put("training.json", f"{json.dumps(training, indent=2)}\n".encode())
    _report(examples, config, output, console)
    _say(console, f"judge: {output.display_url}, weights {weights.fingerprint}")
    _say(console, f"use it: judge=learned judge_options.model={output.display_url}")
    return Exit.OK


def _output(config: TrainJudgeConfig) -> Store:
    place = absolute(config.output or "")
    if not is_local(place):
        raise ConfigError(f"{config.output} is no local directory", "set output= to one; copy it from there")
    store = Store(place, config.storage.output)
    store.check_writable()
    return store


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _trained(
    examples: Examples, config: TrainJudgeConfig, console: Console
) -> tuple[Weights, list[dict[str, float]], dict[str, Any]]:
    """The calibrated weights, the loss behind each step, and the calibration curves of traces held out."""
    # Imported here: scipy is no part of the base install.
    from dlcot_ray.judging.learned.training.chain import Options, fit
    from dlcot_ray.judging.learned.training.preparing import calibrate, prepare, sureness_of

    items = examples.items
    with console.status("") as status:
        prepared = spread(
            prepare,
            [item.labelled for item in items],
            config.where,
            config.ray.address,
            lambda done: status.update(f"features of {done:,} of {len(items):,} traces"),
        )
    ready = {
        part: [made for made, item in zip(prepared, items, strict=True) if made and item.part is part]
        for part in Part
    }
    steps: list[dict[str, float]] = []

    def progress(step: int, loss: float) -> None:
        steps.append({"step": step, "loss": round(loss, 4)})
        _say(console, f"step {step}: loss {loss:.4f} on traces held back")

    held_back = [case.rows for case in ready[Part.HELD_BACK]]
    options = Options(penalty=config.penalty, iterations=config.iterations)
    trained_on = [case.rows for case in ready[Part.TRAINED_ON]]
    weights = fit(trained_on, options, held_back, progress)
    if config.network:
        weights = replace(weights, network=_network(trained_on, console))
    if held_back:
        weights = calibrate(weights, sureness_of(weights, ready[Part.HELD_BACK]))
    unseen = sureness_of(weights, ready[Part.HELD_OUT])
    curves = {
        name: _curve(pairs, line)
        for name, pairs, line in zip(
            ("sections", "approaches", "drops", "labels"),
            (unseen.sections, unseen.openings, unseen.drops, unseen.labels),
            weights.calibration,
            strict=True,
        )
    }
    return weights, steps, curves


def _network(cases: Sequence[Rows], console: Console) -> Network:
    """The network beside the chain; its progress is said."""
    # Imported here: torch is no part of the base install.
    from dlcot_ray.judging.learned.training.network import fit_network

    return fit_network(
        cases, progress=lambda epoch, loss: _say(console, f"network, epoch {epoch}: loss {loss:.4f}")
    )


def _curve(pairs: Sequence[tuple[float, float]], line: Any) -> dict[str, Any]:
    """Confidence against the share that was right, on traces held out."""
    marks = [Graded("", calibrated(sure, line), 0.0, right) for sure, right in pairs]
    error = calibration_error(marks)
    return {"error": round(error, 4) if marks else None, "curve": reliability(marks)}


def _report(examples: Examples, config: TrainJudgeConfig, output: Store, console: Console) -> None:
    """Score the new judge, and the rules, on the traces held out; write and print the figures."""
    held_out = examples.of(Part.HELD_OUT)
    if not held_out:
        return
    cases = LabelSet("held_out", "traces", "", tuple(case for item in held_out for case in item.cases))
    options = ScoreOptions()
    found: dict[str, Scored] = {}
    for name in ("rules", "learned"):
        judge = load_judge(name, {"model": output.given_url} if name == "learned" else {})
        where = "here" if len(held_out) < 1000 and config.where == "auto" else config.where
        found[name] = score_sets([cases], judge, Place(where, config.ray.address), options)
    scored = found["learned"]
    report = EvaluationReport(
        scored.identity,
        {"held_out": config.held_out, "dlcot_version": __version__},
        tuple(scored.scores),
        scored.judged.failed,
        len(scored.judged.annotations),
        scored.judged.seconds,
        20,
        examples.left_out,
    )
    output.put("evaluation.json", f"{json.dumps(to_json(report), indent=2)}\n".encode())
    output.put("evaluation.md", to_markdown(report).encode())
    _print(found, len(held_out), console)


def _print(found: dict[str, Scored], count: int, console: Console) -> None:
    figures = {
        name: {key: value for item in scored.scores for key, value in item.scores.headline().items()}
        for name, scored in found.items()
    }
    table = Table(title=f"{count:,} traces held out", title_justify="left")
    table.add_column("figure")
    for name in figures:
        table.add_column(name, justify="right")
    for key in SHOWN:
        if all(key in of for of in figures.values()):
            table.add_row(key, *(f"{of[key]:.3f}" for of in figures.values()))
    console.print(table)
