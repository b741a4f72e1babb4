"""The dataset card of an output: its content, its sources and its known limits.

`datasets` and hub viewers read the front matter. It declares a configuration for each folder, so that
``load_dataset(output)`` loads the enhanced traces and ignores the state files. The card is made from the
manifest alone, so it can be written again without reading the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from glob import escape
from typing import Any

import yaml

from dlcot_ray.core.language import UNKNOWN_LANGUAGE
from dlcot_ray.inputs.layouts.report import report_lines
from dlcot_ray.outputs.counts import SHORTEST_CLASS
from dlcot_ray.outputs.layout import (
    ANNOTATIONS,
    BEFORE_AFTER_FILE,
    ENHANCED,
    FOLDERS,
    MASKED,
    PREFERENCES,
    REJECTED,
)
from dlcot_ray.outputs.owning.marks import CARD_MARK

_SHOWN = 20
"""Most input files listed by name; the manifest has all of them."""
_MOST_SCHEMAS = 50
"""Most configurations that the card declares for files of different columns."""
_CONTENT = {
    ENHANCED: (
        "every row that was not rejected, with the columns it came with, `enhanced_reasoning`, chat "
        "`messages` ready to train on, `status` and why, gate results, and `edits`: joining the source's "
        "`[start:stop]` of each `keep` and the `text` of each `replace` and `insert` gives the new reasoning"
    ),
    ANNOTATIONS: "what the judge found: sections, approaches, verifications, labels, errors, clusters",
    REJECTED: "rows that are no traces or that the policy does not want, with cause, message and remedy",
    PREFERENCES: "enhanced against original trace, as `prompt`, `chosen`, `rejected`",
    MASKED: "whole conversations, and `loss_spans`: what of the replies to train on",
}


def card(manifest: Mapping[str, Any], report: str = "") -> str:
    """`README.md` of an output.

    Args:
        manifest: the content of `manifest.json`.
        report: the report of a refresh, as Markdown; its headings are moved one level down.
    """
    return "\n".join(
        [
            "---",
            yaml.safe_dump(_front_matter(manifest), sort_keys=False, allow_unicode=True).rstrip(),
            "---",
            CARD_MARK,
            "",
            *_lead(manifest),
            *_sources(manifest),
            *_layouts(manifest.get("layouts", ())),
            *_counts(manifest["totals"]),
            *_gates(manifest["totals"]),
            *_tokens(manifest["totals"]),
            *_limits(manifest),
            *([""] if report else []),
            *(f"#{line}" if line.startswith("#") else line for line in report.splitlines()),
            "",
        ]
    )


def _front_matter(manifest: Mapping[str, Any]) -> dict[str, Any]:
    configs = [
        {"config_name": folder, "data_files": f"{folder}/**/*.parquet"}
        | ({"default": True} if folder == ENHANCED else {})
        for folder in _filled_folders(manifest)
    ]
    configs += _by_schema(manifest["inputs"])
    if manifest.get("before_after"):
        configs.append({"config_name": "before_after", "data_files": BEFORE_AFTER_FILE})
    return {
        "pretty_name": "Enhanced chain-of-thought traces",
        "task_categories": ["text-generation"],
        "size_categories": [_size_category(manifest["totals"]["rows"])],
        "tags": ["chain-of-thought", "distillation", "dlcot"],
        "configs": configs,
    }


def _by_schema(inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A configuration of `enhanced/` for each schema of the inputs; none where they have one.

    `datasets` cannot load files of different columns as one.
    """
    files: dict[int, list[str]] = {}
    for item in inputs:
        if item.get("units"):
            files.setdefault(item["schema"], []).append(f"{ENHANCED}/{escape(item['name'])}.r*.parquet")
    if not 1 < len(files) <= _MOST_SCHEMAS:
        return []
    return [
        {"config_name": f"{ENHANCED}-{number}", "data_files": patterns}
        for number, patterns in enumerate(files.values(), start=1)
    ]


def _filled_folders(manifest: Mapping[str, Any]) -> list[str]:
    return [folder for folder in FOLDERS if manifest["outputs"].get(folder, {}).get("objects")]


def _lead(manifest: Mapping[str, Any]) -> Iterator[str]:
    totals, settings = manifest["totals"], manifest["settings"]
    yield "# Enhanced chain-of-thought traces"
    yield ""
    yield (
        f"{totals['rows']:,} traces of {totals['files']:,} files, edited by the policy "
        f"`{settings['policy']}` over the annotations of the judge `{settings['judge']}` "
        "(DLCoT, arXiv 2503.16385)."
    )
    yield ""
    for folder in _filled_folders(manifest):
        yield f"- `{folder}/`: {_CONTENT[folder]}."
    if manifest.get("before_after"):
        yield f"- `{BEFORE_AFTER_FILE}`: {manifest['before_after']:,} changed traces as plain text."
    yield "- `manifest.json`: inputs with their versions, counts per file, settings, package versions."


def _sources(manifest: Mapping[str, Any]) -> Iterator[str]:
    inputs = sorted(manifest["inputs"], key=lambda item: (-item["rows"], item["file"]))
    yield from ("", "## Sources", "")
    if inputs:
        yield from (
            "| file | layout | rows | enhanced | unchanged | rejected |",
            "|---|---|---:|---:|---:|---:|",
        )
    for item in inputs[:_SHOWN]:
        figures = " | ".join(f"{item[name]:,}" for name in ("rows", "enhanced", "unchanged", "rejected"))
        yield f"| `{item['file']}` | {item['preset']} | {figures} |"
    rest = manifest["totals"]["files"] - len(inputs[:_SHOWN])
    if rest:
        place = manifest.get("inputs_file") or "the manifest"
        yield from ("", f"{rest:,} more files are in {place}.")


def _layouts(reports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How the columns of the sources were read, as a sample showed it."""
    if not reports:
        return
    yield from ("", "## How the sources were read", "", "Counts are of a sample of rows.")
    for report in reports[:_SHOWN]:
        yield from ("", "```", *report_lines(report), "```")


def _counts(totals: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Counts", "", "| traces | |", "|---|---:|")
    for name in ("enhanced", "unchanged", "rejected"):
        yield f"| {name} | {totals[name]:,} |"
    yield f"| rows not finished | {totals['unfinished']:,} |"
    yield from _listed("Why rows are unchanged, or less was cut", totals["by_reason"])
    yield from _listed("Why rows were rejected", totals["by_cause"])
    yield from _listed("Traces that were not chosen", totals.get("by_passed", {}))
    yield from _listed("Approaches by label", totals["by_label"])


def _gates(totals: Mapping[str, Any]) -> Iterator[str]:
    """How often each gate stopped a cut, with traces to look at."""
    stopped, passed = totals["by_gate"], totals["by_gate_passed"]
    if not stopped and not passed:
        return
    yield from ("", "## Gates", "", "Each gate may stop a cut; then less is cut, or nothing.", "")
    yield from ("| gate | stopped | of | examples |", "|---|---:|---:|---|")
    for gate in sorted({*stopped, *passed}):
        count = stopped.get(gate, 0)
        shown = "; ".join(
            f"`{name}`{f': {detail}' if detail else ''}"
            for name, detail in totals["gate_examples"].get(gate, ())
        )
        cell = shown.replace("|", "\\|")
        yield f"| {gate} | {count:,} | {count + passed.get(gate, 0):,} | {cell} |"


def _tokens(totals: Mapping[str, Any]) -> Iterator[str]:
    before, after = totals["tokens_before"], totals["tokens_after"]
    kept = totals["enhanced"] + totals["unchanged"]
    cut = f"{1 - after / before:.1%}" if before else "0.0%"
    yield from ("", "## Tokens of the reasoning", "", "| | before | after |", "|---|---:|---:|")
    yield f"| all | {before:,} | {after:,} ({cut} cut) |"
    if kept:
        yield f"| mean per trace | {before / kept:,.0f} | {after / kept:,.0f} |"
    lengths = totals["by_length"]
    for limit in sorted({int(key.partition(":")[2]) for key in lengths}):
        figures = (f"{lengths.get(f'{side}:{limit}', 0):,}" for side in ("before", "after"))
        least = limit // 2 + 1 if limit > SHORTEST_CLASS else 0
        yield f"| traces of {least:,} to {limit:,} | {' | '.join(figures)} |"
    if totals["prefill"] or totals["decode"]:
        yield ""
        yield (
            f"Judging these traces took {totals['prefill']:,} prompt tokens ({totals['cached']:,} cached) "
            f"and {totals['decode']:,} decoded ones."
        )


def _limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    totals, settings = manifest["totals"], manifest["settings"]
    judge, reasons = settings["judge"], totals["by_reason"]
    yield from ("", "## Known limits", "")
    yield "- Licences and personal data are those of the source files; nothing was added or checked."
    if judge.startswith("rules/"):
        yield (
            "- The judge is rule-based: English cues only, approaches told in new symbols are not recognised "
            "as the same method, and arithmetic errors are seen only in closed numeric claims."
        )
    else:
        yield (
            "- Structure and clusters are a model's judgement; its labels stand only where nothing could be "
            "computed."
        )
    counted = "a tokenizer" if settings.get("tokenizer") else "an estimate from the characters"
    yield f"- Token counts are those of {counted}{_named(settings.get('tokenizer'))}."
    for reason, text in (
        ("judge_failed", "could not be judged and are unchanged"),
        ("too_long", "are longer than the ceiling and unchanged"),
    ):
        if reasons.get(reason):
            yield f"- {reasons[reason]:,} traces {text} (`status_reason` {reason})."
    foreign = sum(count for reason, count in reasons.items() if reason.startswith(UNKNOWN_LANGUAGE))
    if foreign:
        yield f"- {foreign:,} traces are not in English and unchanged (`status_reason` {UNKNOWN_LANGUAGE})."
    if totals["by_label"].get("unknown"):
        yield f"- {totals['by_label']['unknown']:,} approaches have an answer and nothing to compare it with."
    if totals["unsolved"]:
        yield f"- {totals['unsolved']:,} traces do not arrive at their reference answer."
    if totals["unfinished"]:
        yield f"- {totals['unfinished']:,} rows are missing: the job did not finish."
    for fault in manifest["unusable_inputs"][:_SHOWN]:
        yield f"- Missing: `{fault['file']}` ({fault['message']})."


def _listed(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        yield from ("", f"{title}: {', '.join(f'{name} {count:,}' for name, count in ranked)}.")


def _named(tokenizer: str | None) -> str:
    return f" (`{tokenizer}`)" if tokenizer else ""


def _size_category(rows: int) -> str:
    """The size category of the Hugging Face hub, for example ``10K<n<100K``."""
    names = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    low = ""
    for power, name in enumerate(names, start=3):
        if rows < 10**power:
            return f"{low}<n<{name}" if low else f"n<{name}"
        low = name
    return f"n>{low}"
