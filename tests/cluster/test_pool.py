"""The pool of workers: its configuration, and how many of them fit on a cluster's nodes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.cluster.nodes import plan_workers
from dlcot_ray.cluster.shared_places import check_shared
from dlcot_ray.config.groups import WorkerConfig
from dlcot_ray.config.loading import load_enhance, load_judge
from dlcot_ray.config.pool import Pool, pool_of
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.errors import ConfigError, JobError
from tests.support import REPO
from tests.support.finished_job import sum_trace
from tests.support.shared_ray import SharedRay

WORKER = WorkerConfig()


@pytest.mark.parametrize(
    ("name", "gpus"),
    [("rules", 0), ("tiny-cpu", 0), ("vllm", 1), ("cascade", 1), ("qwen3-8b-fp8", 1), ("qwen2.5-72b", 4)],
)
def test_gpus_follow_from_the_engines_settings(name: str, gpus: int) -> None:
    assert pool_of(load_judge(name, {}), WORKER, None, None).gpus == gpus


def test_the_settings_of_the_job_override_those_of_the_judge() -> None:
    spread = {"engine": {"tensor_parallel_size": 2, "pipeline_parallel_size": 3}}
    judge = load_judge("vllm", spread)
    assert pool_of(judge, WORKER, 8, 2) == Pool(1.0, 6.0, None, 8, 2)
    on_cpu = WorkerConfig(cpus=16.0, gpus=0.0)
    assert pool_of(judge, on_cpu, None, None) == Pool(16.0, 0.0)
    assert pool_of(judge, WorkerConfig(accelerator_type="H100"), None, None).accelerator_type == "H100"
    own = JudgeConfig(gpus=1.0, accelerator_type="L4", workers=4, min_workers=2)
    assert pool_of(own, WORKER, None, None) == Pool(1.0, 1.0, "L4", 4, 2)
    assert pool_of(own, WorkerConfig(gpus=0.0), 3, 1) == Pool(1.0, 0.0, None, 3, 1)
    assert pool_of(None, WORKER, None, None) == Pool()


@pytest.mark.parametrize(
    ("worker", "most", "least", "size", "says"),
    [
        (WorkerConfig(gpus=1.0), None, None, 4, "1 GPUs, but its engine spreads over 4"),
        (WORKER, 2, 3, 1, "min_workers is 3, but workers is 2"),
        (WorkerConfig(gpus=0.0, accelerator_type="H100"), None, None, 1, "takes no GPU"),
        (WORKER, None, None, 0, "tensor_parallel_size cannot be 0"),
        (WORKER, None, None, "two", "tensor_parallel_size cannot be 'two'"),
    ],
)
def test_a_pool_that_contradicts_itself_is_refused(
    worker: WorkerConfig, most: int | None, least: int | None, size: Any, says: str
) -> None:
    judge = load_judge("vllm", {"engine": {"tensor_parallel_size": size}})
    with pytest.raises(ConfigError, match=says):
        pool_of(judge, worker, most, least)


def test_pools_are_settings_and_judges_may_be_files(tmp_path: Path) -> None:
    words = ["input=i", "output=o", "workers=8", "min_workers=2", "worker.gpus=2", "ray.wait_s=5"]
    config = load_enhance([*words, "worker.accelerator_type=A100"])
    assert (config.workers, config.min_workers, config.ray.wait_s) == (8, 2, 5.0)
    assert config.worker == WorkerConfig(None, 2.0, "A100")
    for word, says in (
        ("min_workers=0", "min_workers cannot be 0"),
        ("worker.gpus=-1", r"worker\.gpus cannot be -1"),
        ("worker.gpu=1", r"did you mean 'worker\.gpus'"),
        ("ray.wait_s=-1", r"ray\.wait_s cannot be -1"),
    ):
        with pytest.raises(ConfigError, match=says):
            load_enhance([*words[:2], word])
    mine = tmp_path / "mine.yaml"
    mine.write_text("factory: a.b:C\noptions: {model: m}\naccelerator_type: L4\n")
    assert load_judge(str(mine), {"model": "n"}, allow_code=True).options == {"model": "n"}
    mine.write_text("factory: a.b:C\ncpus: -1\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: cpus cannot be -1"):
        load_judge(str(mine), {})
    with pytest.raises(ConfigError, match=r"no configuration file .*none\.yaml"):
        load_judge(str(tmp_path / "none.yaml"), {})


@pytest.fixture(scope="module")
def cluster(shared_ray: SharedRay) -> Iterator[Any]:
    """A head node that reports 2 CPUs and two GPUs of type L4, which do not exist."""
    import ray
    from ray.cluster_utils import Cluster

    from dlcot_ray.cluster.nodes import start_ray, stop_ray

    shared_ray.stop()
    assert not ray.is_initialized()
    with pytest.MonkeyPatch.context() as patch:
        # Workers of an existing cluster do not get the import paths of this process.
        patch.setenv("PYTHONPATH", str(REPO))
        made = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 2, "num_gpus": 2, "resources": {"accelerator_type:L4": 1}},
        )
    assert start_ray(made.address)
    yield made
    stop_ray()
    made.shutdown()


def test_the_number_of_workers_follows_from_the_nodes(cluster: Any) -> None:
    assert plan_workers(Pool(), 9).count == 2
    assert plan_workers(Pool(), 1).count == 1
    assert plan_workers(Pool(gpus=1.0, accelerator_type="L4"), 9).accelerator_type == "L4"
    grows = plan_workers(Pool(gpus=1.0, most=5, least=1), 9)
    assert (grows.count, grows.ready) == (5, 1)
    for pool, says in (
        (Pool(cpus=512.0), r"512 CPUs and 0 GPUs, no node of the cluster has them \(best: 2 CPUs, 2 GPUs"),
        (Pool(gpus=64.0, most=1), "64 GPUs"),
        (Pool(gpus=1.0, accelerator_type="H100"), r"of type H100, no node .*\(best: .*\(L4\)\)"),
        (Pool(gpus=1.0, least=3), "room for 2 of the 3 that min_workers asks for"),
    ):
        with pytest.raises(JobError, match=says):
            plan_workers(pool, 9)


def test_local_places_must_be_seen_by_every_node(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "seen").write_bytes(b"")
    seen = {str(tmp_path / "seen"): f"the output {tmp_path}"}
    check_shared({"/nowhere/seen": "the output /nowhere"})
    node = cluster.add_node(num_cpus=1)
    check_shared(seen)
    check_shared({})
    with pytest.raises(JobError, match=r"the output /nowhere is a local path that node .* does not see"):
        check_shared({**seen, "/nowhere/seen": "the output /nowhere"})
    cluster.remove_node(node)


def test_planning_waits_for_nodes_that_are_starting(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pool = Pool(gpus=1.0, least=3)
    begin = time.monotonic()
    with pytest.raises(JobError, match=r"room for 2 of the 3 .* after 1 s of waiting"):
        plan_workers(pool, 9, wait_s=1.0)
    assert 1.0 <= time.monotonic() - begin < 30.0
    assert "waiting for nodes with room for 3 workers of 1 CPUs and 1 GPUs" in capsys.readouterr().err
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(plan_workers, pool, 9, 60.0)
        # Ray adds nodes from the main thread only.
        cluster.add_node(num_cpus=1, num_gpus=1)
        workers = waiting.result()
    assert (workers.count, workers.ready) == (3, 3)


def test_a_pool_grows_from_min_workers_to_workers(cluster: Any, tmp_path: Path) -> None:
    """The job runs on workers with one type of GPU, and Ray adds workers while units are waiting."""
    judge = tmp_path / "slow.yaml"
    judge.write_text(
        "factory: tests.support.slow_judge:SlowJudge\ncpus: 0.2\ngpus: 0.5\naccelerator_type: L4\nmin_workers: 1\n"
        f"options: {{folder: {tmp_path / 'seen'}}}\nin_flight: 4\n"
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "seen").mkdir()
    rows = [sum_trace(number) for number in range(24)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "x.parquet")
    out = tmp_path / "out"
    words = [
        f"input={tmp_path / 'in'}",
        f"output={out}",
        f"judge={judge}",
        "rows_per_unit=1",
        "workers=2",
        "allow_code=true",
    ]
    assert main(["enhance", *words]) == 0
    assert len(list((tmp_path / "seen").iterdir())) == 2
    run = json.loads((out / "manifest.json").read_text())["run"]
    assert run["workers"] == 2
    assert 0 < run["engine_busy_share"] <= 1
    assert run["engine_seconds"] > 0
