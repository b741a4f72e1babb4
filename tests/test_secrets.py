"""A secret that is planted wherever one can be set is found nowhere: output, log, errors, process list."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray import credentials
from dlcot_ray.cli import COMMANDS, _resolve, main
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.settings import EnhanceConfig
from dlcot_ray.credentials import keep_secret, names_credential, redacted, scrubbed, storable
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.storage.failures import explain, without_credentials
from dlcot_ray.telemetry.event_log import EventLog
from tests.support.finished_job import sum_trace
from tests.support.web_files import web_files

PLANT = "Tr0ub4dor-and-3-planted"
PLACES = ("input=/no/in", "output=/no/out")


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plant in the environment: under names of credentials, and under an ordinary name."""
    for name in ("AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "OPENAI_API_KEY", "DB_CONNECTION_STRING", "GH_PAT"):
        monkeypatch.setenv(name, f"{name}-{PLANT}")
    monkeypatch.setenv("ORDINARY", PLANT)
    monkeypatch.setattr(credentials, "_taken", {})
    monkeypatch.setattr(credentials, "_unstored", set())


def settings_of(schema: type[Any], prefix: str = "") -> Iterator[str]:
    """The names of all settings, with a name below each group of options."""
    hints = typing.get_type_hints(schema)
    for field in dataclasses.fields(schema):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            yield from settings_of(typing.cast("type[Any]", hint), f"{prefix}{field.name}.")
        else:
            is_group = "dict" in str(hint)
            yield f"{prefix}{field.name}{'.profile' if is_group else ''}"


ALL_SETTINGS = sorted(
    {(name, key) for name, command in COMMANDS.items() for key in settings_of(_resolve(command.settings))}
)


@pytest.mark.parametrize(("command", "key"), ALL_SETTINGS)
def test_a_credential_of_the_environment_is_refused_in_every_setting(
    command: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = [word for word in ("output=/no/out",) if not key.startswith("output")]
    for variable in ("HF_TOKEN", "GH_PAT", "DB_CONNECTION_STRING"):
        assert main([command, *needed, f"{key}=${{oc.env:{variable}}}"]) in (1, 2)
        printed = capsys.readouterr()
        assert PLANT not in printed.out + printed.err
        assert "takes a credential from the environment" in printed.err, printed.err


@pytest.mark.parametrize("key", sorted(set(settings_of(EnhanceConfig))))
def test_an_error_shows_an_interpolation_as_it_was_written(key: str) -> None:
    load = _resolve(COMMANDS["enhance"].load)
    words = [word for word in PLACES if not word.startswith(f"{key}=")]
    refused = ""
    try:
        load([*words, f"{key}=${{oc.env:ORDINARY}}"])
    except JobError as error:
        refused = str(error)
    assert PLANT not in scrubbed(refused)
    assert scrubbed(f"cannot use {PLANT}") == "cannot use ${oc.env:ORDINARY}"


OPTIONS = (
    "connection_string",
    "api_key",
    "private_key",
    "key",
    "secret",
    "token",
    "sas_token",
    "passphrase",
    "bearer",
    "signature",
    "credential",
    "client_kwargs.aws_session_token",
    "client_kwargs.headers.Authorization",
    "headers.Cookie",
    "s3_additional_kwargs.SSECustomerKey",
    "target_options.password",
    "proxies.https",
)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("side", ["input", "output"])
def test_a_storage_option_that_may_be_a_credential_is_refused(
    side: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enhance", *PLACES, f"storage.{side}.{option}={PLANT}"]) == 2
    error = capsys.readouterr().err
    assert PLANT not in error
    assert f"storage.{side}." in error
    assert "environment" in error


@pytest.mark.parametrize("option", ["hf_token", "api_key", "engine.hf_token", "headers.authorization"])
def test_an_option_of_the_judge_that_names_a_credential_is_refused(option: str, tmp_path: Path) -> None:
    for words in (["judge=vllm", f"judge_options.{option}={PLANT}"],):
        with pytest.raises(JobError, match=r"judge_options\..* looks like a credential") as refused:
            _resolve(COMMANDS["enhance"].load)([*PLACES, *words])
        assert PLANT not in str(refused.value)
    file = tmp_path / "mine.yaml"
    nested: dict[str, Any] = {}
    place = nested
    *groups, last = option.split(".")
    for group in groups:
        place = place.setdefault(group, {})
    place[last] = PLANT
    file.write_text(f"factory: dlcot_ray.judging.rules.judge:RulesJudge\noptions: {nested}\n")
    with pytest.raises(JobError, match="looks like a credential"):
        load_judge(str(file), {})


@pytest.mark.parametrize("value", [f"https://me:{PLANT}@host", f"https://host?X-Amz-Signature={PLANT}"])
def test_a_credential_in_the_url_of_an_option_is_refused(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enhance", *PLACES, f"storage.output.endpoint_url={value}"]) == 2
    assert PLANT not in capsys.readouterr().err


URLS = (
    f"http://me:{PLANT}@127.0.0.1:1/a.parquet",
    f"http://127.0.0.1:1/a.parquet?X-Amz-Credential=id&X-Amz-Signature={PLANT}",
    f"http://127.0.0.1:1/a.parquet?sv=2024&sig={PLANT}&se=2026",
    f"http://127.0.0.1:1/a.parquet?X-Goog-Signature={PLANT}",
)


@pytest.mark.parametrize("url", URLS)
def test_the_credential_of_a_url_is_neither_shown_nor_stored(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PLANT not in without_credentials(url)
    assert PLANT not in str(storable({"input": [url]}))
    for words in (["inspect", url], ["enhance", f"input={url}", f"output={tmp_path / 'out'}"]):
        assert main(words) != 0
        printed = capsys.readouterr()
        assert PLANT not in printed.out + printed.err
    assert not holding_plant(tmp_path.rglob("*"))


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"doctor", "evaluate"}))
def test_the_credential_of_a_url_is_shown_by_no_setting(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Doctor and evaluate run with any setting, and take seconds.
    monkeypatch.chdir(tmp_path)
    keys = set(settings_of(_resolve(COMMANDS[command].settings)))
    for key in sorted(keys):
        needed = [f"{name}={tmp_path / name}" for name in sorted(keys & {"input", "output"} - {key})]
        for value in (f"http://me:{PLANT}@127.0.0.1:1/a", f"http://127.0.0.1:1/a?sig={PLANT}"):
            main([command, *needed, f"{key}={value}"])
            printed = capsys.readouterr()
            assert PLANT not in printed.out + printed.err, key


def test_an_error_is_scrubbed_before_it_is_cut() -> None:
    secret = f"HF_TOKEN-{PLANT}"
    for length in range(20, 300):
        shown = reason_of(ValueError(f"{'x' * length} {secret}"), 300)
        assert secret[:8] not in shown
    explained = explain(OSError(f"{'x' * 290} {PLANT}"), "cannot read", local=False, secrets=[PLANT])
    assert PLANT[:8] not in str(explained)


def test_secrets_whose_names_do_not_tell_are_struck_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_kept", set())
    keep_secret("a-key-of-the-server")
    keep_secret("short")
    conf = {
        "http": {"client_kwargs": {"headers": {"X-Mine": "configured-header"}, "read_bufsize": "1048576000"}}
    }
    monkeypatch.setattr(fsspec.config, "conf", {**conf, "gs": {"token": "google_default"}})
    text = "a-key-of-the-server, configured-header; short, 1048576000, google_default"
    assert scrubbed(text) == "***, ***; short, 1048576000, google_default"


def test_texts_are_scrubbed_by_their_form() -> None:
    for text in (
        f"No such file: '/home/me/http:/me:{PLANT}@host/a'",
        f"Authorization: Bearer {PLANT}",
        "Authorization: Basic bWU6VHIwdWI0ZG9y",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={PLANT};EndpointSuffix=x",
        f"GET https://h/p?a=1&token={PLANT}&b=2",
    ):
        shown = redacted(text)
        assert PLANT not in shown
        assert "bWU6" not in shown
        assert "***" in shown
    assert redacted("see https://h/p?page=2 and s3://b/k@v") == "see https://h/p?page=2 and s3://b/k@v"


def test_ordinary_options_are_no_credentials() -> None:
    for name in (
        "tokenizer",
        "max_tokens",
        "token_count",
        "signature_version",
        "keep_replies",
        "monkey",
        "path",
    ):
        assert not names_credential(name), name


def test_a_short_secret_is_not_cut_out_of_a_name_that_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "minioadmin")
    assert storable(["s3://minioadmin-data/x", "minioadmin"]) == ["s3://minioadmin-data/x", "***"]


def test_an_option_that_was_not_stored_is_asked_for_again() -> None:
    record = JobRecord("enhance", {}, {"storage": {"input": {"endpoint_url": "${oc.env:ENDPOINT}"}}})
    with pytest.raises(JobError, match=r"set storage\.input\.endpoint_url= again"):
        record.options_of("input")
    assert record.options_of("input", {"endpoint_url": "http://x"}) == {"endpoint_url": "http://x"}


@pytest.mark.usefixtures("ray_session")
def test_a_whole_job_stores_logs_and_shows_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [sum_trace(number) for number in range(3)]
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet")
    (tmp_path / "mine.yaml").write_text(
        "storage:\n  input: {user_agent_extra: '${oc.env:ORDINARY}'}\n"
        "judge_options: {cas_timeout_seconds: '${oc.env:SECONDS_FOR_CAS}'}\n"
    )
    monkeypatch.setenv("SECONDS_FOR_CAS", "1.0")
    out, log = tmp_path / "out", tmp_path / "log.jsonl"
    words = [f"input={tmp_path / 'in'}", f"output={out}", f"config={tmp_path / 'mine.yaml'}", "workers=1"]
    seen: list[str] = []
    original = EventLog.unit

    def look(self: EventLog, result: Any) -> None:
        seen.extend(" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
        original(self, result)

    monkeypatch.setattr(EventLog, "unit", look)
    monkeypatch.setenv("DLCOT_TRACEBACK", "1")
    assert main(["enhance", *words, "log.format=json", f"log.file={log}"]) == 0
    # A run that fails shows no more.
    assert main(["enhance", *words, "policy=keep_first"]) == 1
    assert main(["verify", str(out)]) == 1
    assert main(["status", str(out)]) == 0
    assert seen
    assert not [line for line in seen if PLANT in line]
    printed = capsys.readouterr()
    assert PLANT not in printed.out + printed.err
    assert "set storage.input.user_agent_extra= again" in printed.err
    files = [path for path in (*out.rglob("*"), log) if path.is_file()]
    assert len(files) > 5
    assert not holding_plant(files)
    assert "${oc.env:ORDINARY}" in (out / "_job.json").read_text()
    assert "${oc.env:ORDINARY}" in (out / "manifest.json").read_text()


@pytest.mark.usefixtures("ray_session")
def test_a_job_stores_nothing_of_the_signature_of_its_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web").mkdir()
    pq.write_table(
        pa.Table.from_pylist([sum_trace(number) for number in range(3)]), tmp_path / "web" / "a.pq"
    )
    out, log = tmp_path / "out", tmp_path / "log.jsonl"
    with web_files(tmp_path / "web") as place:
        # A signature may hold a slash and a dot; a user and a password are sent as a header.
        url = f"{place.replace('//', f'//me:{PLANT}@')}/a.pq?X-Amz-Credential=me&X-Amz-Signature={PLANT}"
        words = [f"output={out}", "workers=1", f"log.file={log}"]
        assert main(["enhance", f"input={url}/x.y", *words]) == 0
        # The same file with another signature is the same job.
        assert main(["enhance", f"input={url}-again", *words]) == 0
        assert main(["verify", str(out)]) == 0
    printed = capsys.readouterr()
    assert PLANT not in printed.out + printed.err
    assert not holding_plant([*out.rglob("*"), log])
    assert f"{place}/a.pq?***&***" in (out / "_job.json").read_text()
    assert [path.name for path in (out / "enhanced").iterdir()] == ["a.r000000000-000000003.parquet"]


def holding_plant(paths: Iterable[Path]) -> list[Path]:
    """The files that hold the plant, in their names or anywhere in them."""
    return [
        path
        for path in paths
        if PLANT in path.name
        or (path.is_file() and PLANT.encode() in path.read_bytes())
        or (path.suffix == ".parquet" and PLANT in str(pq.read_table(path).to_pylist()))
    ]


@pytest.mark.usefixtures("ray_session")
def test_the_ray_of_a_whole_job_listens_on_loopback_and_keeps_its_files_private() -> None:
    import ray

    listening = set().union(*map(_listening, psutil.Process().children(recursive=True)))
    assert listening
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    session = Path(ray._private.worker._global_node.get_session_dir_path())
    assert session.parents[1].stat().st_mode & 0o077 == 0


def _listening(process: psutil.Process) -> set[str]:
    """Addresses that a process listens on; none if it ends meanwhile, as idle workers do."""
    try:
        found = process.net_connections("inet")
    except (psutil.NoSuchProcess, FileNotFoundError):
        return set()
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def test_the_working_directory_and_the_path_of_a_key_are_no_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key.json"
    key.touch()
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setenv("OLDPWD", str(tmp_path.parent))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    monkeypatch.setenv("SERVICE_TOKEN", "/not/a/path/but/a/token")
    for place in (f"{tmp_path}/shards", f"{key}.d/shards"):
        assert storable({"input": place}) == {"input": place}
        assert scrubbed(f"cannot read {place}") == f"cannot read {place}"
    assert scrubbed("got /not/a/path/but/a/token") == "got ***"
