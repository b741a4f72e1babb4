"""Each check of the manifests finds the faults that it is for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import check
import pytest

from tests.support import REPO

OVERLAYS = ["gpu", "dev-cpu", "nightly", "nightly-raycronjob", "kueue"]
Resource = dict[str, Any]
Fault = Callable[[Resource], None]


def resources(overlay: str) -> list[Resource]:
    return check.render(REPO / "k8s" / "overlays" / overlay)


def the(kind: str, overlay: str = "gpu") -> Resource:
    (found,) = [resource for resource in resources(overlay) if resource["kind"] == kind]
    return copy.deepcopy(found)


def put(path: str, value: Any) -> Fault:
    """A fault: `value` at `path` (keys and list positions, joined by dots)."""

    def apply(resource: Resource) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place: Any = resource
        for step in steps:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        place[last] = value

    return apply


def found_by(checker: Callable[[Resource], Iterator[str]], resource: Resource, *faults: Fault) -> str:
    assert not list(checker(resource)), "the resource must be correct before the fault is inserted"
    for fault in faults:
        fault(resource)
    return "\n".join(checker(resource))


POD = "spec.rayClusterSpec.workerGroupSpecs.1.template.spec.containers.0"


@pytest.mark.parametrize(
    ("kind", "fault", "word"),
    [
        ("NetworkPolicy", put("spec.podSelecter", {}), "podSelecter"),
        ("PersistentVolumeClaim", put("spec.accessModes", "ReadWriteMany"), "ReadWriteMany"),
        ("PodDisruptionBudget", put("spec.selector.matchLabels.app", 3), "3"),
        ("Namespace", put("spec", []), "[]"),
        ("ConfigMap", put("data.rows", 5), "5"),
    ],
    ids=["typo", "type", "label type", "spec type", "number as text"],
)
def test_kubernetes_own_schemas_are_strict(kind: str, fault: Fault, word: str) -> None:
    assert word in found_by(check.kubernetes_findings, the(kind), fault)


def test_kubernetes_enumerations_and_required_fields_are_checked() -> None:
    cron = the("CronJob", "nightly")
    assert "Forbidden" in found_by(
        check.kubernetes_findings, cron, put("spec.concurrencyPolicy", "Forbidden")
    )
    cron = the("CronJob", "nightly")
    del cron["spec"]["schedule"]
    assert "schedule" in "\n".join(check.kubernetes_findings(cron))


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (put("spec.shutdownAfterJobFinish", True), "shutdownAfterJobFinish"),
        (put("spec.rayClusterSpec.workerGroupSpecs.0.maxReplica", 3), "maxReplica"),
        (put("spec.rayClusterSpec.autoscalerOptions.upscalingMode", "Fast"), "Fast"),
        (put("spec.backoffLimit", "2"), "'2'"),
        (put("spec.preRunningDeadlineSeconds", 0), "minimum"),
        (put("metadata.label", {}), "label"),
        (put(f"{POD}.volumeMount", []), "volumeMount"),
        (put(f"{POD}.imagePullPolicy", "Sometimes"), "Sometimes"),
        (put(f"{POD}.resources.limits.cpu", ["8"]), "8"),
        (put("spec.submitterPodTemplate.spec.restartPolic", "Never"), "restartPolic"),
    ],
)
def test_unknown_fields_of_a_rayjob_are_found_at_any_depth(fault: Fault, word: str) -> None:
    assert word in found_by(check.custom_findings, the("RayJob"), fault)


@pytest.mark.parametrize("path", ["spec.jobTemplates", "spec.jobTemplate.entrypoints", "spec.timezone"])
def test_a_raycronjob_is_checked_together_with_its_job(path: str) -> None:
    cron = the("RayCronJob", "nightly-raycronjob")
    assert path.rpartition(".")[2] in found_by(check.custom_findings, cron, put(path, "x"))


@pytest.mark.parametrize(
    ("kind", "overlay", "fault", "word"),
    [
        ("PodMonitor", "gpu", put("spec.podMetricsEndpoints.0.intervall", "30s"), "intervall"),
        ("PodMonitor", "gpu", put("spec.podMetricsEndpoints.0.interval", "30 seconds"), "30 seconds"),
        ("PodMonitor", "gpu", put("spec.podMetricsEndpoints.0.scheme", "ftp"), "ftp"),
        ("PodMonitor", "gpu", put("spec.podTargetLabels", "ray.io/cluster"), "ray.io/cluster"),
        ("ClusterQueue", "kueue", put("spec.resourceGroup", []), "resourceGroup"),
        ("ClusterQueue", "kueue", put("spec.queueingStrategy", "LIFO"), "LIFO"),
        ("LocalQueue", "kueue", put("spec.clusterQueue", 1), "1"),
    ],
)
def test_unknown_fields_of_other_custom_resources_are_found(
    kind: str, overlay: str, fault: Fault, word: str
) -> None:
    assert word in found_by(check.custom_findings, the(kind, overlay), fault)


RULES = {
    "spec.managedBy": "me",
    "spec.deletionStrategy": {"onSuccess": {"policy": "DeleteCluster"}},
    "spec.rayClusterSpec.managedBy": "me",
}
LEGACY = {"policy": "DeleteCluster"}
RULE = {"policy": "DeleteCluster", "condition": {"jobStatus": "FAILED"}}


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("spec.managedBy", "me", "managedBy"),
        ("spec.rayClusterSpec.managedBy", "me", "managedBy"),
        ("spec.deletionStrategy", {"onSuccess": LEGACY}, "requires either BOTH"),
        (
            "spec.deletionStrategy",
            {"onSuccess": LEGACY, "onFailure": LEGACY, "deletionRules": [RULE]},
            "cannot be used together",
        ),
        (
            "spec.deletionStrategy",
            {"deletionRules": [{"policy": "DeleteSelf", "condition": {}}]},
            "requires either the JobStatus",
        ),
    ],
)
def test_cel_rules_of_the_crd_are_evaluated(path: str, value: Any, word: str) -> None:
    assert word in found_by(check.cel_findings, the("RayJob"), put(path, value))


SELECTOR = put("spec.clusterSelector", {"ray.io/cluster": "other"})
HEAD = "spec.rayClusterSpec.headGroupSpec"
GROUP = "spec.rayClusterSpec.workerGroupSpecs.1"


@pytest.mark.parametrize(
    ("faults", "word"),
    [
        ([put("spec.shutdownAfterJobFinishes", False)], "ttlSecondsAfterFinished"),
        (
            [
                put("spec.shutdownAfterJobFinishes", False),
                put("spec.ttlSecondsAfterFinished", 0),
                put("spec.suspend", True),
            ],
            "spec.suspend: needs shutdownAfterJobFinishes",
        ),
        ([SELECTOR, put("spec.suspend", True)], "spec.suspend: not with clusterSelector"),
        ([SELECTOR], "spec.backoffLimit: not with clusterSelector"),
        ([put("spec.submissionMode", "InteractiveMode")], "not in InteractiveMode"),
        ([put("spec.submissionMode", "SidecarMode")], "submitterPodTemplate: not in SidecarMode"),
        ([put("spec.backoffLimit", -1)], "cannot be negative"),
        ([put("spec.activeDeadlineSeconds", 0)], "has to be positive"),
        ([put("spec.deletionStrategy", {"deletionRules": [RULE]})], "exclude each other"),
        ([put("spec.deletionStrategy", {"deletionRules": [RULE, RULE]})], "a second rule"),
        (
            [put("spec.deletionStrategy", {"deletionRules": [{**RULE, "policy": "DeleteWorkers"}]})],
            "not with autoscaling",
        ),
        ([put("spec.rayClusterSpec", None)], "needs rayClusterSpec or clusterSelector"),
        ([put(f"{HEAD}.template.spec.restartPolicy", "Always")], "restartPolicy has to be Never"),
        ([put(f"{HEAD}.resources", {"CPU": "1"})], "both in rayStartParams and in resources"),
        ([put(f"{HEAD}.rayStartParams.labels", "a=b")], "labels go into labels"),
        ([put(f"{GROUP}.minReplicas", 9)], "more than maxReplicas"),
        ([put(f"{GROUP}.groupName", "cpu")], "two groups"),
        ([put(f"{GROUP}.template.spec.containers", [])], "needs a container"),
        ([put("metadata.name", "x" * 48)], "48 characters"),
        ([put("metadata.name", "Dlcot")], "no DNS label"),
    ],
)
def test_violations_of_the_rules_in_kuberays_code_are_found(faults: list[Fault], word: str) -> None:
    assert word in found_by(check.operator_findings, the("RayJob"), *faults)


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("spec.schedule", "0 1 * *", "five cron fields"),
        ("spec.schedule", "TZ=UTC 0 1 * * *", "timeZone"),
        ("spec.jobTemplate.shutdownAfterJobFinishes", False, "spec.jobTemplate.ttlSecondsAfterFinished"),
    ],
)
def test_a_schedule_and_its_job_are_checked_against_the_rules(path: str, value: Any, word: str) -> None:
    cron = the("RayCronJob", "nightly-raycronjob")
    assert word in found_by(check.operator_findings, cron, put(path, value))


def test_a_wrong_type_is_one_finding_and_no_crash() -> None:
    job = the("RayJob")
    put("spec.backoffLimit", "two")(job)
    (finding,) = check.check(job)
    assert finding.startswith("RayJob/dlcot-enhance: spec.backoffLimit:")


def test_the_command_prints_findings_and_gives_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = tmp_path / "mine"
    overlay.mkdir()
    patch = "- {op: add, path: /spec/suspended, value: true}"
    (overlay / "kustomization.yaml").write_text(
        "resources: [base]\npatches:\n  - target: {kind: RayJob}\n    patch: |-\n      " + patch + "\n"
    )
    base = tmp_path / "mine" / "base"
    base.symlink_to(REPO / "k8s" / "base")
    assert check.main([str(overlay)]) == 1
    assert "'suspended' was unexpected" in capsys.readouterr().out
    assert check.main([str(tmp_path / "nowhere")]) == 1
    assert "cannot be rendered" in capsys.readouterr().err
