"""What the name of a column says about what it holds: its words, and the fields that use such words."""

from __future__ import annotations

import re

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


THINKING = _words(
    "think thinking thought thoughts reasoning reason reasonings cot chain rationale scratchpad trajectory "
    "trajectories trace traces deliberation reflection monologue musings analysis"
)
PROBLEM = _words(
    "problem question prompt instruction instructions query task exercise puzzle input user request ask"
)
REPLY = _words(
    "response reply output outputs answer completion final attempt assistant generation generated "
    "result summary text content message model"
)
TRUTH = _words(
    "gt truth gold golden reference ref expected target correct key label solution answer final verdict"
)
SURE_TRUTH = _words("truth gold golden reference ref expected target label gt")
ANSWER = _words("answer solution verdict")
NO_TRUTH = _words(
    "model predicted prediction extracted generated student llm deepseek gemini qwen r1 score grade "
    "correctness type source category count length tokens rate difficulty level size time index idx domain "
    "topic subject language split license"
)
"""Words of columns that hold what a model answered, or facts about a row."""
DISPREFERRED = _words("rejected negative worse worst bad wrong lose loser losing dispreferred")
"""Words of columns that hold the worse one of two replies: no trace to learn from."""
CORRECTNESS = _words("correct correctness verified valid right passed graded")
USERS = _words("user human person prompter questioner customer student")
ASSISTANTS = _words("assistant gpt model bot ai chatgpt agent teacher chatbot")
IDENTITY = _words("id uuid uid guid identifier")
_CHINESE = {
    "问题": "problem", "题目": "problem", "提问": "question", "指令": "instruction", "输入": "input",
    "思维链": "cot", "思考": "thinking", "推理": "reasoning", "回答": "reply", "回复": "reply",
    "输出": "output", "标准答案": "gold", "参考答案": "reference", "正确答案": "correct", "答案": "answer",
}  # fmt: skip
"""Names of columns in Chinese, longer ones before their parts."""


def words_of(path: str) -> tuple[str, ...]:
    """The words of a path in lower case: ``meta.Complex_CoT`` gives meta, complex, cot."""
    spelled = path.replace("CoT", "Cot").replace("COT", "Cot")
    for name, word in _CHINESE.items():
        spelled = spelled.replace(name, f" {word} ")
    return tuple(part.lower() for part in _PARTS.findall(spelled))


def names_thinking(path: str) -> bool:
    """Whether a column is called after thinking."""
    return not THINKING.isdisjoint(words_of(path))
