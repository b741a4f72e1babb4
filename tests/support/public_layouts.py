"""Rows laid out like public data sets of reasoning traces, in words of our own, and files of them.

``python -m tests.support.public_layouts FOLDER`` writes one Parquet file for each layout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 6

Row = dict[str, Any]


def problem(n: int) -> str:
    """A problem with one number as its answer."""
    return f"A shelf has {n + 3} rows with {n + 4} jars in each row. How many jars stand on the shelf?"


def answer(n: int) -> str:
    """The answer of `problem(n)`."""
    return str((n + 3) * (n + 4))


def thought(n: int, way: int = 0) -> str:
    """Thinking that solves `problem(n)`; `way` changes its words."""
    start = ("Okay, let me count the jars.", "Hmm, I need the number of jars.", "Alright, let's see.")[
        way % 3
    ]
    return (
        f"{start} There are {n + 3} rows, and each row has {n + 4} jars.\n\n"
        f"So I multiply {n + 3} by {n + 4}, and that makes {answer(n)}.\n\n"
        f"Wait, let me check this by adding the rows one after another. "
        f"{n + 4} taken {n + 3} times is {answer(n)} too, so the answer is {answer(n)}."
    )


def reply(n: int) -> str:
    """The visible reply, in words."""
    return f"Every row has {n + 4} jars, so the shelf has \\boxed{{{answer(n)}}} jars in all."


def whole(n: int, way: int = 0, opening: str = "<think>", closing: str = "</think>") -> str:
    """A whole reply with its thinking between tags."""
    return f"{opening}\n{thought(n, way)}\n{closing}\n\n{reply(n)}"


def chat(*turns: tuple[str, str], role: str = "role", content: str = "content") -> list[Row]:
    """A conversation."""
    return [{role: who, content: text} for who, text in turns]


CODE = "def jars(rows, each):\n    return rows * each\n"


def _am(n: int) -> Row:
    info = {"source": "own", "reference_answer": answer(n), "test_case": None}
    user = {
        "role": "user",
        "content": problem(n),
        "info": {**info, "think_content": None, "answer_content": None},
    }
    said = f"<think>{thought(n)}</think>\n<answer>{reply(n)}</answer>"
    none = {"source": None, "reference_answer": None, "test_case": None}
    parts = {"think_content": thought(n), "answer_content": reply(n)}
    return {"messages": [user, {"role": "assistant", "content": said, "info": {**none, **parts}}]}


def _openthoughts(n: int) -> Row:
    said = (
        f"<|begin_of_thought|>\n\n{thought(n)}\n\n<|end_of_thought|>\n\n"
        f"<|begin_of_solution|>\n\n{reply(n)}\n\n<|end_of_solution|>"
    )
    turns = chat(("user", problem(n)), ("assistant", said), role="from", content="value")
    return {"system": "Think first.", "conversations": turns}


def _turn(role: str, *parts: Row, calls: list[Row] | None = None) -> Row:
    whole_parts = [{"type": None, "text": None, "thinking": None, **part} for part in parts]
    return {"role": role, "content": whole_parts, "tool_calls": calls}


def _tools_and_parts(n: int) -> Row:
    def text(said: str) -> Row:
        return {"type": "text", "text": said}

    calls = [{"id": "c1", "function": {"name": "look", "arguments": '{"shelf": 1}'}}]
    turns = [
        _turn("system", text("You may look.")),
        _turn("user", text(problem(n)), {"type": "image"}),
        _turn("assistant", {"type": "thinking", "thinking": "I look first."}, calls=calls),
        _turn("tool", text("Rows of jars.")),
        _turn("assistant", {"type": "thinking", "thinking": thought(n)}, text(reply(n))),
    ]
    return {"tools": '[{"name": "look"}]', "messages": turns, "answer": answer(n)}


LAYOUTS: dict[str, Callable[[int], Row]] = {
    "openr1_math": lambda n: {
        "problem": problem(n), "solution": "Multiply.", "answer": answer(n), "problem_type": "Counting",
        "question_type": "math-word-problem", "source": "own", "uuid": f"u{n}",
        "is_reasoning_complete": [True, True], "generations": [whole(n), whole(n, 1)],
        "correctness_math_verify": [True, False], "correctness_llama": None, "finish_reasons": None,
        "correctness_count": 1,
        "messages": chat(("user", problem(n)), ("assistant", whole(n))),
    },
    "deepmath": lambda n: {
        "question": problem(n), "final_answer": answer(n), "difficulty": 2.5, "topic": "Counting",
        "r1_solution_1": thought(n), "r1_solution_2": thought(n, 1), "r1_solution_3": thought(n, 2),
    },
    "deepmath_closed": lambda n: {
        "question": problem(n), "final_answer": answer(n), "difficulty": 2.5, "topic": "Counting",
        **{f"r1_solution_{k + 1}": f"{thought(n, k)}\n</think>\n\n{reply(n)}" for k in range(3)},
    },
    "openmathreasoning": lambda n: {
        "expected_answer": answer(n), "problem_type": "has_answer_extracted", "problem_source": "own",
        "generation_model": "R", "pass_rate_72b_tir": "0.5", "problem": problem(n),
        "generated_solution": whole(n), "inference_mode": "cot", "used_in_kaggle": False,
    },
    "opencodereasoning": lambda n: {
        "id": f"c{n}", "input": problem(n), "output": f"<think>{thought(n)}</think>\n\n```python\n{CODE}```",
        "source": "own", "license": "mit", "dataset": "own", "split": "train", "difficulty": "EASY",
        "solution": f"```python\n{CODE}```",
    },
    "openthoughts": _openthoughts,
    "openthoughts_metadata": lambda n: {
        "problem": problem(n), "deepseek_reasoning": thought(n), "deepseek_solution": reply(n),
        "ground_truth_solution": answer(n), "domain": "math", "source": "own", "test_cases": None,
        "starter_code": None,
    },
    "openthoughts_2": lambda n: {
        "conversations": chat(("user", problem(n)), ("assistant", whole(n)), role="from", content="value"),
        "question": problem(n), "source": "own", "id": n,
    },
    "openthoughts_3": lambda n: {
        "difficulty": 7, "source": "own", "domain": "math",
        "conversations": chat(("human", problem(n)), ("gpt", whole(n)), role="from", content="value"),
    },
    "am_deepseek_r1": _am,
    "synthetic1": lambda n: {
        "response_id": f"r{n}", "problem_id": "p", "task_type": "verifiable_math", "prompt": problem(n),
        "gold_standard_solution": "999", "llm_response": whole(n), "score": 0.0,
        "messages": chat(("user", problem(n)), ("assistant", whole(n))),
    },
    "nemotron": lambda n: {
        "input": problem(n), "output": whole(n) if n % 3 else reply(n), "category": "math", "license": "cc",
        "reasoning": "on" if n % 3 else "off", "generator": "R", "used_in_training": "yes", "version": "v1",
        "system_prompt": "detailed thinking on",
    },
    "nemotron_messages": lambda n: {
        "uuid": f"u{n}", "license": "cc", "generator": "R", "version": "v1", "category": "math",
        "reasoning": "on", "messages": chat(("user", problem(n)), ("assistant", whole(n))), "metadata": "{}",
    },
    "medical_o1": lambda n: {
        "Question": problem(n), "Complex_CoT": thought(n), "Response": reply(n),
    },
    "s1k": lambda n: {
        "solution": answer(n), "question": problem(n), "cot_type": "math", "source_type": "own",
        "metadata": "{}", "cot": None, "thinking_trajectories": [thought(n), thought(n, 1)],
        "attempt": reply(n),
    },
    "s1k_1_1": lambda n: {
        "solution": answer(n), "question": problem(n), "cot_type": "math", "source_type": "own",
        "metadata": "{}", "gemini_thinking_trajectory": thought(n, 1), "gemini_attempt": reply(n),
        "deepseek_thinking_trajectory": thought(n), "deepseek_attempt": reply(n),
        "gemini_grade": "Yes", "gemini_grade_reason": "Right.", "deepseek_grade": "Yes",
        "deepseek_grade_reason": "Right.",
    },
    "limo": lambda n: {"question": problem(n), "solution": thought(n), "answer": answer(n)},
    "light_r1": lambda n: {
        "conversations": chat(("user", problem(n)), ("assistant", whole(n)), role="from", content="value"),
    },
    "numina_deepseek": lambda n: {
        "problem": problem(n), "reasoning": thought(n), "deepseek_solution": reply(n),
        "ground_truth_solution": f"Multiply {n + 3} by {n + 4}.", "deepseek_final_answer": "7",
        "ground_truth_final_answer": answer(n),
    },
    "bespoke_stratos": _openthoughts,
    "plain": lambda n: {"id": n, "problem": problem(n), "reasoning": thought(n), "answer": answer(n)},
    "instruction_reasoning_output": lambda n: {
        "instruction": problem(n), "reasoning": thought(n), "output": reply(n), "category": "math",
    },
    "question_reasoning_answer": lambda n: {
        "id": n, "question": problem(n), "reasoning": thought(n), "answer": reply(n),
    },
    "trl": lambda n: {
        "prompt": chat(("system", "Be brief."), ("user", problem(n))),
        "completion": chat(("assistant", whole(n))), "answer": answer(n),
    },
    "verl": lambda n: {
        "data_source": "own", "prompt": chat(("user", problem(n))), "ability": "math",
        "reward_model": {"ground_truth": answer(n), "style": "rule"}, "extra_info": {"index": n},
        "responses": [whole(n), whole(n, 1)],
    },
    "verl_reasoning": lambda n: {
        "prompt": chat(("user", problem(n))), "reward_model": {"ground_truth": answer(n), "style": "rule"},
        "reasoning": thought(n), "response": reply(n),
    },
    "skywork": lambda n: {
        "data_source": "own", "prompt": chat(("user", problem(n))), "ability": "math",
        "reward_model": {"ground_truth": json.dumps([answer(n), "no"]), "style": "rule"},
        "response": whole(n),
    },
    "dolphin_r1": lambda n: {
        "messages": chat(("system", "Think first."), ("user", problem(n))), "reasoning": thought(n),
        "answer": reply(n), "model": "R",
    },
    "nemotron_turns": lambda n: {
        "input": chat(("user", problem(n))), "output": whole(n), "category": "math", "license": "cc",
        "reasoning": "on", "generator": "R", "used_in_training": "yes", "version": "v1",
        "system_prompt": "detailed thinking on",
    },
    "limo_tagged": lambda n: {"question": problem(n), "solution": whole(n), "answer": answer(n)},
    "sharegpt_tools": lambda n: {
        "conversations": chat(
            ("human", "Count the jars."), ("gpt", "Let me look."), ("function_call", '{"name": "look"}'),
            ("observation", "Rows of jars."), ("human", problem(n)), ("gpt", whole(n)),
            role="from", content="value",
        ),
        "system": "You may look.", "tools": '[{"name": "look"}]',
    },
    "unnamed_turns": lambda n: {
        "dialogue": chat(("person", problem(n)), ("ai", whole(n)), role="speaker", content="utterance"),
        "gold": answer(n),
    },
    "messages_as_json": lambda n: {
        "id": n, "messages": json.dumps(chat(("user", problem(n)), ("assistant", whole(n)))),
        "ground_truth": answer(n),
    },
    "messages": lambda n: {
        "id": n, "messages": chat(("user", problem(n)), ("assistant", whole(n))), "ground_truth": answer(n),
    },
    "trl_text_prompt": lambda n: {
        "prompt": problem(n), "completion": chat(("assistant", whole(n))), "answer": answer(n),
    },
    "interleaved": lambda n: {
        "id": n, "ground_truth": answer(n), "messages": chat(
            ("system", "You may look."), ("user", problem(n)),
            ("assistant", f"<think>\nI look first.\n</think>\n\nI look.\n\n{whole(n)}"),
        ),
    },
    "tools_and_parts": _tools_and_parts,
    "completion": lambda n: {"prompt": problem(n), "completion": whole(n), "answer": answer(n)},
    "alpaca": lambda n: {
        "instruction": problem(n).split("?")[0] + "?", "input": "", "output": whole(n), "system": "Think.",
        "history": [["hi", "hello"]],
    } if n % 2 else {
        "instruction": "Solve the task and box the result.", "input": problem(n), "output": whole(n),
        "system": "Think.", "history": [["hi", "hello"]],
    },
    "unnamed": lambda n: {
        "row_uid": f"x{n}", "exercise_text": problem(n), "inner_monologue": thought(n),
        "assistant_says": reply(n), "gold_value": answer(n), "model_answer": "7", "level": "easy",
    },
}  # fmt: skip
"""Name of a layout -> its row number n."""


def table_of(name: str, rows: int = ROWS) -> pa.Table:
    """Some rows of a layout."""
    return pa.Table.from_pylist([LAYOUTS[name](n) for n in range(rows)])


def write_layout(name: str, folder: Path, rows: int = ROWS) -> Path:
    """A Parquet file of a layout."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    pq.write_table(table_of(name, rows), path)
    return path


if __name__ == "__main__":
    for each in LAYOUTS:
        print(write_layout(each, Path(sys.argv[1])))
