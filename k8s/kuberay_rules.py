"""The rules in KubeRay 1.7's code that its CRDs do not express, as functions from specs to findings.

The operator reports a violation in a status or an event, after the resource was applied. These functions
report it before. Only rules that a RayJob of this project can violate are included: deletion, suspension,
retries, worker groups, autoscaling, resources and labels. Source: `controllers/ray/utils/validation.go` of
the operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_JOB_NAME = 47
"""53 characters of a cluster's name, minus the suffix that KubeRay adds for each retry."""

Spec = Mapping[str, Any]
Finding = str

_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_START_RESOURCES = ("num-cpus", "num-gpus", "memory", "resources")
_CRON_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def job_name_findings(name: str) -> Iterator[Finding]:
    """Findings in the name of a RayJob, which becomes part of service names."""
    if len(name) > MAX_JOB_NAME:
        yield f"metadata.name: {len(name)} characters, KubeRay takes {MAX_JOB_NAME}"
    if not _LABEL_1035.fullmatch(name):
        yield f"metadata.name: {name!r} is no DNS label"


def cron_findings(spec: Spec) -> Iterator[Finding]:
    """Findings in a RayCronJob: its schedule, and the job inside."""
    schedule = str(spec.get("schedule", ""))
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        yield "spec.schedule: a time zone goes into timeZone"
    elif schedule not in _CRON_MACROS and not schedule.startswith("@every ") and len(schedule.split()) != 5:
        yield f"spec.schedule: {schedule!r} is not five cron fields"
    for finding in job_findings(spec.get("jobTemplate", {})):
        yield finding.replace("spec.", "spec.jobTemplate.", 1)


def job_findings(spec: Spec) -> Iterator[Finding]:
    """Findings in the spec of a RayJob."""
    mode = spec.get("submissionMode", "K8sJobMode")
    selector, cluster = spec.get("clusterSelector"), spec.get("rayClusterSpec")
    shutdown, ttl = spec.get("shutdownAfterJobFinishes", False), spec.get("ttlSecondsAfterFinished", 0)
    retries = spec.get("backoffLimit", 0)
    if spec.get("suspend") and not shutdown:
        yield "spec.suspend: needs shutdownAfterJobFinishes: true"
    if spec.get("suspend") and selector:
        yield "spec.suspend: not with clusterSelector"
    if ttl < 0:
        yield "spec.ttlSecondsAfterFinished: cannot be negative"
    if ttl > 0 and not shutdown:
        yield "spec.ttlSecondsAfterFinished: needs shutdownAfterJobFinishes: true"
    if cluster is None and not selector:
        yield "spec: needs rayClusterSpec or clusterSelector"
    if selector and retries > 0:
        yield "spec.backoffLimit: not with clusterSelector, which has no cluster of its own to replace"
    if mode == "InteractiveMode" and retries > 0:
        yield "spec.backoffLimit: not in InteractiveMode"
    if retries < 0:
        yield "spec.backoffLimit: cannot be negative"
    for name in ("activeDeadlineSeconds", "preRunningDeadlineSeconds"):
        if spec.get(name) is not None and spec[name] <= 0:
            yield f"spec.{name}: has to be positive"
    if mode == "SidecarMode":
        for name in ("submitterPodTemplate", "submitterConfig", "clusterSelector"):
            if spec.get(name):
                yield f"spec.{name}: not in SidecarMode"
    yield from _deletion(spec, bool(shutdown), bool(selector))
    if cluster is not None:
        yield from _cluster(cluster, mode)


def _deletion(spec: Spec, shutdown: bool, selector: bool) -> Iterator[Finding]:
    strategy = spec.get("deletionStrategy")
    if strategy is None:
        return
    rules, legacy = strategy.get("deletionRules") or [], {"onSuccess", "onFailure"} & set(strategy)
    if rules and shutdown:
        yield "spec.deletionStrategy: deletionRules and shutdownAfterJobFinishes exclude each other"
    if rules and legacy:
        yield "spec.deletionStrategy: deletionRules and onSuccess/onFailure exclude each other"
    if not rules and len(legacy) != 2:
        yield "spec.deletionStrategy: needs deletionRules, or both onSuccess and onFailure"
    scales = bool((spec.get("rayClusterSpec") or {}).get("enableInTreeAutoscaling"))
    seen: set[tuple[str, str]] = set()
    for index, rule in enumerate(rules):
        where, condition = f"spec.deletionStrategy.deletionRules[{index}]", rule.get("condition", {})
        states = [name for name in ("jobStatus", "jobDeploymentStatus") if name in condition]
        if len(states) != 1:
            yield f"{where}: needs one of jobStatus and jobDeploymentStatus"
            continue
        policy = rule.get("policy", "")
        if selector and policy in ("DeleteCluster", "DeleteWorkers"):
            yield f"{where}: {policy} not with clusterSelector"
        if scales and policy == "DeleteWorkers":
            yield f"{where}: DeleteWorkers not with autoscaling"
        if (condition[states[0]], policy) in seen:
            yield f"{where}: a second rule for {policy} at {condition[states[0]]}"
        seen.add((condition[states[0]], policy))


def _cluster(cluster: Spec, mode: str) -> Iterator[Finding]:
    head = cluster.get("headGroupSpec", {})
    scales = bool(cluster.get("enableInTreeAutoscaling"))
    second = scales and cluster.get("autoscalerOptions", {}).get("version") == "v2"
    groups = [("headGroupSpec", "head", head)]
    for index, group in enumerate(cluster.get("workerGroupSpecs", ())):
        groups.append((f"workerGroupSpecs[{index}]", group.get("groupName", ""), group))
    names = [name for _, name, _ in groups[1:]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"spec.rayClusterSpec.workerGroupSpecs: two groups are called {name!r}"
    for place, name, group in groups:
        where = f"spec.rayClusterSpec.{place}"
        pod = group.get("template", {}).get("spec", {})
        if not pod.get("containers"):
            yield f"{where}: needs a container"
        start = group.get("rayStartParams", {})
        if group.get("resources") and any(start.get(key) for key in _START_RESOURCES):
            yield f"{where}: resources both in rayStartParams and in resources"
        if "labels" in start:
            yield f"{where}: labels go into labels, not into rayStartParams"
        only_never = second or (mode == "SidecarMode" and name == "head")
        if only_never and pod.get("restartPolicy", "Never") != "Never":
            yield f"{where}: restartPolicy has to be Never"
        if place != "headGroupSpec":
            yield from _group(group, where, scales)
    if not scales and any(
        variable.get("name") == "RAY_enable_autoscaler_v2" and variable.get("value") in ("1", "true")
        for container in head.get("template", {}).get("spec", {}).get("containers", ())[:1]
        for variable in container.get("env", ())
    ):
        yield "spec.rayClusterSpec: RAY_enable_autoscaler_v2 without enableInTreeAutoscaling"


def _group(group: Spec, where: str, scales: bool) -> Iterator[Finding]:
    least, most = group.get("minReplicas"), group.get("maxReplicas")
    if not scales and (least is None or most is None):
        yield f"{where}: needs minReplicas and maxReplicas without autoscaling"
    if any(bound is not None and bound < 0 for bound in (least, most)):
        yield f"{where}: replicas cannot be negative"
    if least is not None and most is not None and least > most:
        yield f"{where}: minReplicas {least} is more than maxReplicas {most}"
    if scales and group.get("suspend"):
        yield f"{where}: cannot be suspended with autoscaling"
