"""Where a model is: directories, hub ids, URLs; identities by content; one clear fault each."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import fsspec
import pytest

from dlcot_ray.judging.protocol import JudgeUnavailable
from dlcot_ray.judging.vllm.engine import VllmEngine
from dlcot_ray.judging.vllm.factory import cascade_judge, vllm_judge
from dlcot_ray.judging.vllm.models import local_model, model_identity
from dlcot_ray.judging.vllm.startup import check_host_memory, unavailable
from tests.support.seaweed import S3Place


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    model = tmp_path / "store" / "my-judge"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"\x08" + bytes(100_000))
    return model


def test_a_directory_is_identified_by_its_content(directory: Path) -> None:
    first = model_identity(str(directory))
    assert first.startswith("my-judge@")
    (directory / "README.md").write_text("anything")
    assert model_identity(str(directory)) == first
    for name, data in (
        ("config.json", b"{ }"),
        ("model.safetensors", bytes(100_001)),
        ("tokenizer.json", b"{}"),
    ):
        before = model_identity(str(directory))
        (directory / name).write_bytes(data)
        assert model_identity(str(directory)) != before


def test_hub_ids_are_identified_by_name_and_revision() -> None:
    assert model_identity("Qwen/Qwen3-8B-FP8", "abc") == "Qwen/Qwen3-8B-FP8@abc"
    assert model_identity("Qwen/Qwen3-8B-FP8") == "Qwen/Qwen3-8B-FP8@main"
    assert local_model("Qwen/Qwen3-8B-FP8") == "Qwen/Qwen3-8B-FP8"


@pytest.mark.parametrize("model", ["", "/no/such", "./no", "models/none", "one-word", "a/b/c"])
def test_a_model_that_does_not_exist_is_refused(model: str) -> None:
    with pytest.raises(JudgeUnavailable, match=r"there is no model at .*judge_options\.model"):
        model_identity(model)


def test_a_url_is_copied_once_and_completely(directory: Path, tmp_path: Path) -> None:
    url, cache = f"file://{directory}", tmp_path / "cache"
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(local_model(url, str(cache)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    copy = Path(found[0])
    assert (copy / "model.safetensors").read_bytes() == (directory / "model.safetensors").read_bytes()
    assert [entry.name for entry in cache.iterdir() if entry.is_dir()] == [copy.name]
    (directory / "model.safetensors").write_bytes(bytes(99))
    assert local_model(url, str(cache)) != found[0]


def test_a_model_in_object_storage_is_identified_by_its_listing(
    directory: Path, tmp_path: Path, s3: S3Place
) -> None:
    url, cache = s3.url("my-judge"), str(tmp_path / "cache")
    with pytest.raises(JudgeUnavailable, match=r"the model s3://.* cannot be fetched \(.+\); check the URL"):
        model_identity(url)
    files, place = fsspec.core.url_to_fs(url)
    files.put(f"{directory}/", f"{place}/", recursive=True)
    first = model_identity(url)
    assert re.fullmatch(re.escape(url) + "@[0-9a-f]{16}", first)
    assert model_identity(url) == first
    copy = local_model(url, cache)
    assert sorted(path.name for path in Path(copy).iterdir()) == ["config.json", "model.safetensors"]
    assert local_model(url, cache) == copy
    # The length is the same, so only the store's version of the content differs.
    files.pipe_file(f"{place}/config.json", b"[]")
    assert model_identity(url) != first
    assert Path(local_model(url, cache), "config.json").read_bytes() == b"[]"


def test_the_error_of_a_refusing_object_store_is_reported(
    s3: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "wrong")
    with pytest.raises(JudgeUnavailable, match=r"cannot be fetched \(.+\); check the URL and credentials"):
        model_identity(s3.url("my-judge"))


@pytest.mark.parametrize("url", ["file:///no/such/model", "nosuchprotocol://x/y", "memory://empty/model"])
def test_a_url_that_cannot_be_fetched_is_reported(url: str, tmp_path: Path) -> None:
    with pytest.raises(JudgeUnavailable, match=r"the model .* cannot be fetched \(.+\); check the URL"):
        local_model(url, str(tmp_path / "cache"))
    cache = tmp_path / "cache"
    assert not cache.exists() or not list(cache.iterdir())


@pytest.mark.parametrize(
    ("missing", "message"),
    [("config.json", "holds no config.json"), ("model.safetensors", "holds no weights")],
)
def test_an_incomplete_directory_is_refused(directory: Path, missing: str, message: str) -> None:
    (directory / missing).unlink()
    with pytest.raises(JudgeUnavailable, match=message):
        VllmEngine(str(directory), max_model_len=4096).start()


@pytest.mark.parametrize(
    ("output", "cause", "remedy"),
    [
        (
            "(EngineCore pid=7) ERROR 11-24 10:00:00 [core.py:1] ValueError: To serve at least one request with the "
            "models's max seq len (32768), (4.50 GiB KV cache is needed, which is larger than the available",
            "KV cache is needed",
            "lower judge_options.max_model_len",
        ),
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
            "out of memory",
            "smaller or quantized",
        ),
        ("RuntimeError: No CUDA GPUs are available", "No CUDA GPUs", r"dlcot-ray\[cpu\]"),
        ("safetensors_rust.SafetensorError: HeaderTooLarge", "", "download the model again"),
        (
            "ValueError: Couldn't instantiate the backend tokenizer from one of: (1) a `tokenizers` library",
            "backend tokenizer",
            "tokenizer's files are missing",
        ),
        (
            "LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for the specified revision",
            "cached snapshot folder",
            "and the network",
        ),
        (
            "ValueError: Model architectures ['FooForCausalLM'] are not supported for now. Supported",
            "FooForCausalLM",
            "take another model",
        ),
        ("SomethingError: never seen before", "never seen before", "check judge_options"),
        ("", "initialization failed", "check judge_options"),
    ],
)
def test_the_output_of_a_failed_engine_becomes_one_line(output: str, cause: str, remedy: str) -> None:
    error = RuntimeError("Engine core initialization failed. See root cause above.")
    fault = unavailable("m", error, f"Traceback (most recent call last):\n  File x\n{output}\n")
    assert cause in fault.message
    assert "\n" not in str(fault)
    assert re.search(remedy, fault.remedy)


def test_a_cache_larger_than_the_machine_is_refused_at_once() -> None:
    check_host_memory("m", 1 << 30, available=2 << 30)
    with pytest.raises(
        JudgeUnavailable, match=r"KV cache takes 4\.0 GiB, the machine has 2\.0 GiB free.*lower"
    ):
        check_host_memory("m", 4 << 30, available=2 << 30)
    with pytest.raises(JudgeUnavailable, match="the machine has"):
        check_host_memory("m", 1 << 60)


def test_the_engine_checks_memory_before_it_loads(model_path: Path) -> None:
    engine = VllmEngine(str(model_path), max_model_len=1024, engine={"kv_cache_memory_bytes": 4 << 40})
    with pytest.raises(JudgeUnavailable, match=r"KV cache takes 4096\.0 GiB.*kv_cache_memory_bytes"):
        engine.start()


def test_engine_options_that_the_judge_sets_are_refused(directory: Path) -> None:
    with pytest.raises(ValueError, match=r"engine\.max_model_len is set by its own option"):
        vllm_judge(str(directory), engine={"max_model_len": 5})
    with pytest.raises(ValueError, match="min_confidence cannot be 7"):
        cascade_judge(model=str(directory), min_confidence=7)


def test_a_users_own_prompts_change_the_identity(directory: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my.yaml"
    mine.write_text("labels: LABELS please of approaches $items?\n")
    packaged, own = vllm_judge(str(directory)), vllm_judge(str(directory), prompts=str(mine))
    assert packaged.identity != own.identity
    for text, message in (
        ("nothing: x\n", "there is no prompt 'nothing'"),
        ("labels: 5\n", "must be text"),
        ("labels: $unknown\n", r"has no value for \$unknown"),
        ("labels: 5$ a\n", "stray"),
        ("- a\n", "must hold name: text"),
        ("a: [\n", "not YAML"),
    ):
        mine.write_text(text)
        with pytest.raises(ValueError, match=message):
            vllm_judge(str(directory), prompts=str(mine))
    for judge in (packaged, own):
        judge.close()
