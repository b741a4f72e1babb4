"""`dlcot doctor`: checks of this machine and of the places of a job, each with a remedy. It starts no Ray."""

from __future__ import annotations

from dataclasses import asdict

from dlcot_ray.commands.doctor.machine import machine_checks
from dlcot_ray.commands.doctor.places import place_checks
from dlcot_ray.commands.doctor.result import Verdict
from dlcot_ray.commands.exits import Exit
from dlcot_ray.config.view_settings import DoctorConfig
from dlcot_ray.credentials import storable
from dlcot_ray.telemetry.console import print_report


def run_doctor(config: DoctorConfig) -> Exit:
    """Run `dlcot doctor`; exit status 3 if a job would end with an error."""
    checks = [*machine_checks(), *place_checks(config)]
    faults = sum(check.verdict is Verdict.FAULT for check in checks)
    warnings = sum(check.verdict is Verdict.WARNING for check in checks)
    summary = f"{faults} faults, {warnings} warnings" if faults or warnings else "everything is fine"
    figures = storable(
        {"checks": [asdict(check) for check in checks], "faults": faults, "warnings": warnings}
    )
    lines = [*map(str, checks), summary]
    print_report(figures, storable(lines), config.json)
    return Exit.WITH_FAULTS if faults else Exit.OK
