"""The recipes of docs/how-to/train-on-the-output.md do with an output what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from dlcot_ray.inputs.conversations.channels import thinking_to_field
from dlcot_ray.inputs.conversations.rendered import masked_ranges
from tests.support import REPO
from tests.support.plain_run import run_without_ray
from tests.test_docs import blocks_of

# In the manner of the families' templates for training: as it stands, split at the tags and put together again,
# and a field in a channel of its own. `generation` marks what the assistant writes.
PLAIN = (
    "{% for m in messages %}<|{{ m.role }}|>\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|eot|>"
    "{% endgeneration %}{% else %}{{ m.content }}<|eot|>{% endif %}{% endfor %}"
)
SPLIT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}<think>\n"
    "{{ m.content.split('</think>')[0].split('<think>')[-1].strip('\\n') }}\n</think>\n\n"
    "{{ m.content.split('</think>')[-1].lstrip('\\n') }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}"
    "<|im_end|>{% endif %}\n{% endfor %}"
)
# Keeps thinking behind the last question only, as Qwen3's own template does.
LAST_ONLY = (
    "{% set ns = namespace(last=messages|length - 1) %}{% for m in messages %}{% if m.role == 'user' %}"
    "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if loop.index0 > ns.last %}{{ m.content }}{% else %}{{ m.content.split('</think>')[-1] }}{% endif %}"
    "<|im_end|>\n{% endfor %}"
)
CHANNELS = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}<|start|>assistant<|channel|>analysis"
    "<|message|>{{ m.thinking }}<|end|><|start|>assistant<|channel|>final<|message|>{{ m.content }}<|return|>"
    "{% endgeneration %}{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
)


def recipe(name: str) -> Callable[..., Any]:
    """A function of the page."""
    page = REPO / "docs/how-to/train-on-the-output.md"
    text = next(block.text for block in blocks_of(page) if f"def {name}(" in block.text)
    scope: dict[str, Any] = {}
    exec(text, scope)
    found: Callable[..., Any] = scope[name]
    return found


def tokenizer(template: str) -> Any:
    """One token a byte, so that any text can be told from its tokens."""
    alphabet = {char: i for i, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    bare = Tokenizer(models.BPE(alphabet, []))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=bare, chat_template=template)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recipes") / "out"
    policy = "policy=keep_first+preference_pairs+loss_spans"
    run_without_ray([f"input={REPO / 'examples/shards'}", f"output={root}", policy])
    return root


def loaded(output: Path, folder: str) -> list[dict[str, Any]]:
    files = str(output / folder / "**" / "*.parquet")
    data = load_dataset("parquet", data_files=files, split="train", cache_dir=str(output.parent / "cache"))
    return [dict(row) for row in data]


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("template", "end"),
    [(PLAIN, "<|eot|>"), (SPLIT, "<|im_end|>")],
    ids=["as it stands", "split at the tags"],
)
def test_labels_are_the_enhanced_reply_and_nothing_else(output: Path, template: str, end: str) -> None:
    chosen, enhanced = tokenizer(template), {row["trace_id"]: row for row in loaded(output, "enhanced")}
    masked = loaded(output, "masked")
    assert masked
    for row in masked:
        made = recipe("labelled")(row, chosen)
        assert len(made["labels"]) == len(made["input_ids"])
        whole = chosen.decode(made["input_ids"])
        assert squeezed(enhanced[row["trace_id"]]["reasoning"]) in squeezed(whole)
        learnt = chosen.decode([token for token in made["labels"] if token != -100])
        reply = enhanced[row["trace_id"]]["messages"][-1]["content"]
        assert squeezed(learnt) == squeezed(reply + end)


def test_the_assistants_mask_covers_just_the_reply(output: Path) -> None:
    chosen = tokenizer(PLAIN)
    for row in loaded(output, "enhanced"):
        if row["messages"] is not None:
            made = chosen.apply_chat_template(
                row["messages"], return_dict=True, return_assistant_tokens_mask=True
            )
            pairs = zip(made["input_ids"], made["assistant_masks"], strict=True)
            assert chosen.decode([token for token, mine in pairs if mine]) == (
                row["messages"][-1]["content"] + "<|eot|>"
            )


def test_tags_move_into_a_field_for_templates_with_channels(output: Path) -> None:
    chosen, with_field = tokenizer(CHANNELS), recipe("with_field")
    for row in loaded(output, "enhanced"):
        if row["messages"] is not None:
            text = chosen.apply_chat_template(with_field(row)["messages"], tokenize=False)
            assert "think>" not in text
            assert f"analysis<|message|>{row['enhanced_reasoning'].strip()}<|end|>" in text
            assert text.endswith(f"final<|message|>{row['response'].strip()}<|return|>")


def test_spans_move_into_a_field_with_their_text(output: Path) -> None:
    chosen, enhanced = tokenizer(CHANNELS), {row["trace_id"]: row for row in loaded(output, "enhanced")}
    for row in loaded(output, "masked"):
        messages, spans = thinking_to_field(row["messages"], row["loss_spans"])
        made = recipe("labelled")({"messages": messages, "loss_spans": spans}, chosen)
        learnt = chosen.decode([token for token in made["labels"] if token != -100])
        told = enhanced[row["trace_id"]]
        assert squeezed(learnt) == squeezed(
            f"<|start|>assistant<|channel|>analysis<|message|>{told['enhanced_reasoning']}<|end|>"
            f"<|start|>assistant<|channel|>final<|message|>{told['response']}<|return|>"
        )


def test_only_a_template_for_training_renders_a_turn_alone_as_in_the_whole(output: Path) -> None:
    row = next(row for row in loaded(output, "enhanced") if row["messages"] is not None)

    def agree(template: str) -> bool:
        chosen = tokenizer(template)
        apart = [chosen.apply_chat_template([turn], tokenize=False) for turn in row["messages"]]
        return bool("".join(apart) == chosen.apply_chat_template(row["messages"], tokenize=False))

    assert agree(SPLIT)
    assert not agree(LAST_ONLY)


def test_a_template_that_drops_thinking_is_refused(output: Path) -> None:
    dropping = tokenizer("{% for m in messages %}{{ m.content.split('</think>')[-1] }}{% endfor %}")
    row = loaded(output, "masked")[0]
    text = dropping.apply_chat_template(row["messages"], tokenize=False)
    with pytest.raises(ValueError, match="use a template for training"):
        masked_ranges(text, row["messages"], row["loss_spans"])
