"""Makes the schema that `k8s/check.py` holds a KubeRay resource against, out of KubeRay's own CRD.

    python scripts/trim_crd.py ray.io_rayjobs.yaml k8s/schemas/rayjob.json VERSION_OF_KUBERAY

A CRD is a megabyte, nine tenths of it a copy of Kubernetes' pod template. The copy goes (Kubernetes' own
schemas are stricter and newer), as do texts and the status; what is left keeps KubeRay's field names, types,
enumerations, defaults and CEL rules to the letter, and every object is closed, so that a misspelt field is
a finding instead of being dropped without a word as the API server does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

POD_TEMPLATES = ("template", "submitterPodTemplate")
SERVICES = ("headService",)
JOB_SPECS = ("jobTemplate",)
_KEPT = (
    "type",
    "enum",
    "format",
    "pattern",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "required",
    "anyOf",
    "x-kubernetes-validations",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
)


def trimmed(schema: dict[str, Any], name: str = "") -> dict[str, Any]:
    """A CRD's schema without texts, with closed objects, and with references for what Kubernetes defines."""
    if name in POD_TEMPLATES and "properties" in schema:
        return {"x-kind": "PodTemplate"}
    if name in SERVICES:
        return {"x-kind": "Service"}
    if name in JOB_SPECS:
        return {"x-kind": "RayJobSpec"}
    kept: dict[str, Any] = {key: schema[key] for key in _KEPT if key in schema}
    if "properties" in schema:
        kept["properties"] = {key: trimmed(value, key) for key, value in schema["properties"].items()}
        kept["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = trimmed(schema["additionalProperties"])
    if isinstance(schema.get("items"), dict):
        kept["items"] = trimmed(schema["items"], name)
    return kept


def schema_of(crd: dict[str, Any], kuberay: str) -> dict[str, Any]:
    """The trimmed schema of a CRD's stored version, with where it comes from."""
    (version,) = [item for item in crd["spec"]["versions"] if item["storage"]]
    root = version["schema"]["openAPIV3Schema"]
    schema = trimmed(root)
    schema["properties"].pop("status", None)
    schema["properties"]["metadata"] = {"type": "object", "x-kind": "ObjectMeta"}
    return {
        "$comment": f"from KubeRay {kuberay} (Apache-2.0), by scripts/trim_crd.py",
        "x-api": f"{crd['spec']['group']}/{version['name']}",
        "x-kind-name": crd["spec"]["names"]["kind"],
        **schema,
    }


def main() -> None:
    """Read the CRD, write the schema."""
    source, target, kuberay = sys.argv[1:]
    crd = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
    Path(target).write_text(json.dumps(schema_of(crd, kuberay), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
