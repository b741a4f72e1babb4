"""The shipped manifests: they render, they pass all checks, and they have the properties that docs promise."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import check
import pytest
import yaml

from dlcot_ray.cli import COMMANDS, _resolve
from dlcot_ray.config.loading import load_enhance, load_judge
from dlcot_ray.config.pool import pool_of
from tests.support import REPO

K8S = REPO / "k8s"
DIRECTORIES = ["base", *(f"overlays/{path.name}" for path in sorted((K8S / "overlays").iterdir()))]
Resource = dict[str, Any]


@pytest.fixture(scope="module", params=DIRECTORIES)
def rendered(request: pytest.FixtureRequest) -> list[Resource]:
    return check.render(K8S / request.param)


def pods(resources: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """Every pod template with its path, at any depth."""

    def walk(value: Any, place: str) -> Iterator[tuple[str, Resource]]:
        if isinstance(value, dict):
            if isinstance(value.get("spec"), dict) and "containers" in value["spec"]:
                yield place, value
            for key, inner in value.items():
                yield from walk(inner, f"{place}.{key}")
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from walk(inner, f"{place}[{index}]")

    for resource in resources:
        yield from walk(resource, f"{resource['kind']}/{resource['metadata']['name']}")


def ray_specs(resources: list[Resource]) -> list[Resource]:
    found = [resource["spec"] for resource in resources if resource["kind"] == "RayJob"]
    return found + [item["spec"]["jobTemplate"] for item in resources if item["kind"] == "RayCronJob"]


def test_the_checks_find_nothing(rendered: list[Resource]) -> None:
    assert [finding for resource in rendered for finding in check.check(resource)] == []


def test_every_pod_runs_without_root_and_privileges_and_has_limits(rendered: list[Resource]) -> None:
    seen = 0
    for place, pod in pods(rendered):
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True, place
        assert security["runAsUser"] > 0, place
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, place
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, place
            assert own["capabilities"] == {"drop": ["ALL"]}, place
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), place
            assert {"cpu", "memory"} <= set(container["resources"]["limits"]), place
            assert ":" in container["image"], f"{place}: {container['image']} has no tag"
        seen += 1
    assert seen >= 3


def test_only_the_development_store_has_a_secret_in_its_manifest(rendered: list[Resource]) -> None:
    secrets = [item["metadata"]["name"] for item in rendered if item["kind"] == "Secret"]
    assert secrets in ([], ["dlcot-dev-store"])
    for place, pod in pods(rendered):
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            for variable in container.get("env", []):
                assert "SECRET" not in variable["name"] or "valueFrom" in variable, place


def test_the_head_runs_no_work_and_avoids_spot_nodes(rendered: list[Resource]) -> None:
    (spec,) = ray_specs(rendered)
    head = spec["rayClusterSpec"]["headGroupSpec"]
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert "tolerations" not in head["template"]["spec"]
    for group in spec["rayClusterSpec"]["workerGroupSpecs"]:
        assert any("spot" in item["key"] for item in group["template"]["spec"]["tolerations"])
        mounts = group["template"]["spec"]["containers"][0]["volumeMounts"]
        assert "/dev/shm" in [mount["mountPath"] for mount in mounts]


def test_a_job_has_deadlines_and_removes_its_cluster(rendered: list[Resource]) -> None:
    (spec,) = ray_specs(rendered)
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["activeDeadlineSeconds"] > 0
    assert spec["preRunningDeadlineSeconds"] > 0


def test_manifests_and_image_have_the_same_version_of_ray(rendered: list[Resource]) -> None:
    pin = next(
        line for line in (REPO / "requirements.lock").read_text().splitlines() if line.startswith("ray==")
    )
    (spec,) = ray_specs(rendered)
    assert spec["rayClusterSpec"]["rayVersion"] == pin.removeprefix("ray==")


def test_the_entry_point_accepts_the_settings(rendered: list[Resource], tmp_path: Path) -> None:
    (spec,) = ray_specs(rendered)
    _, script, word = spec["entrypoint"].split()
    command = Path(script).stem
    assert (REPO / "jobs" / Path(script).name).is_file()
    (config,) = [
        item
        for item in rendered
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == "dlcot-config"
    ]
    file = tmp_path / Path(word.partition("=")[2]).name
    file.write_text(config["data"][file.name])
    loaded = _resolve(COMMANDS[command].load)([f"config={file}"])
    assert loaded.judge == yaml.safe_load(file.read_text())["judge"]


def test_gpu_workers_request_what_the_judge_needs() -> None:
    (spec,) = ray_specs(check.render(K8S / "overlays" / "gpu"))
    gpu = spec["rayClusterSpec"]["workerGroupSpecs"][1]
    config = load_enhance([f"config={K8S / 'overlays' / 'gpu' / 'enhance.yaml'}"])
    judge = load_judge(config.judge, config.judge_options)
    pool = pool_of(judge, config.worker, config.workers, config.min_workers)
    (container,) = gpu["template"]["spec"]["containers"]
    assert float(container["resources"]["limits"]["nvidia.com/gpu"]) == pool.gpus
    assert float(container["resources"]["limits"]["cpu"]) > pool.cpus
    assert (pool.least, pool.most) == (gpu["minReplicas"], gpu["maxReplicas"])
    (fetch,) = gpu["template"]["spec"]["initContainers"]
    name, revision = judge.options["model"], judge.options["revision"]
    assert fetch["command"][-3:] == [name, "--revision", revision]


def test_a_queued_job_is_suspended_and_has_a_fixed_size() -> None:
    job = next(item for item in check.render(K8S / "overlays" / "kueue") if item["kind"] == "RayJob")
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "dlcot"
    assert job["spec"]["suspend"] is True
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["enableInTreeAutoscaling"] is False
    assert all(group["replicas"] == group["maxReplicas"] for group in cluster["workerGroupSpecs"])


def test_both_nightly_overlays_run_the_same_job() -> None:
    by_cron = ray_specs(check.render(K8S / "overlays" / "nightly"))[0]
    by_ray = ray_specs(check.render(K8S / "overlays" / "nightly-raycronjob"))[0]
    assert by_cron.pop("suspend") is True
    assert by_cron == by_ray


def test_a_cluster_asks_for_a_token(rendered: list[Resource]) -> None:
    assert all(spec["rayClusterSpec"]["authOptions"] == {"mode": "token"} for spec in ray_specs(rendered))


def test_the_network_policy_names_namespaces_and_leaves_out_metadata_servers(
    rendered: list[Resource],
) -> None:
    policies = [resource["spec"] for resource in rendered if resource["kind"] == "NetworkPolicy"]
    (policy,) = [spec for spec in policies if "Egress" in spec["policyTypes"]]
    for rule in policy["ingress"]:
        assert rule["from"]
    peers = [peer for rule in policy["ingress"] for peer in rule["from"]]
    peers += [peer for rule in policy["egress"] for peer in rule.get("to", ())]
    assert all(peer.get("namespaceSelector") != {} for peer in peers)
    metadata = ip_address("169.254.169.254")
    for rule in policy["egress"]:
        if {port["port"] for port in rule.get("ports", ())} & {80, 443, 988}:
            assert rule["to"], rule
        for block in (peer["ipBlock"] for peer in rule.get("to", ()) if "ipBlock" in peer):
            inside = metadata in ip_network(block["cidr"])
            assert not inside or any(metadata in ip_network(part) for part in block.get("except", ()))
