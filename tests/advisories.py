"""Are there known holes in what is installed? `python -m tests.advisories`, called by make.

pip-audit asks a service. Where no service answers it says "No known vulnerabilities found" all the same, and ends
with 0: that is told apart here. Exit 1 only for a hole that somebody published; "not checked" is printed, never hidden.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import click

SERVICES = ("pypi", "osv")
"""Asked in this order, until one knows anything at all."""
TIMEOUT = 5
"""Seconds for one answer of a service."""
OURS = "fer-audit"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a service said of the installed packages."""

    checked: int
    """Packages that it knows."""
    unknown: tuple[str, ...]
    """Packages that it does not know: nothing was checked there."""
    holes: tuple[str, ...]
    """One line each: package, version, advisory, and the version that mends it."""


def read_verdict(document: dict[str, Any]) -> Verdict:
    """Return what pip-audit's JSON says; our own package is no part of it."""
    packages = [each for each in document["dependencies"] if each["name"] != OURS]
    unknown = tuple(each["name"] for each in packages if "skip_reason" in each)
    holes = tuple(
        f"{each['name']} {each['version']}: {hole['id']}, mended in "
        + (", ".join(hole["fix_versions"]) or "no version yet")
        for each in packages
        for hole in each.get("vulns", ())
    )
    return Verdict(len(packages) - len(unknown), unknown, holes)


def ask(service: str) -> Verdict | str:
    """Return a service's verdict, or the last line of what went wrong."""
    options = ["--progress-spinner", "off", "--format", "json", "--timeout", str(TIMEOUT)]
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return read_verdict(json.loads(done.stdout))
    except (ValueError, KeyError):
        return (done.stderr.strip().splitlines() or ["no answer"])[-1]


def main() -> None:
    """Print one line, and the holes there are."""
    if importlib.util.find_spec("pip_audit") is None:
        click.echo("advisories: pip-audit is not installed: not checked")
        return
    told = []
    for service in SERVICES:
        verdict = ask(service)
        if isinstance(verdict, str):
            told.append(f"{service}: {verdict[:200]}")
            continue
        if not verdict.checked and not verdict.holes:
            told.append(f"{service}: knows none of {len(verdict.unknown)} packages")
            continue
        click.echo(f"advisories: {verdict.checked} packages checked with {service}")
        if verdict.unknown:
            click.echo(f"not checked, {service} does not know them: {', '.join(verdict.unknown)}")
        for hole in verdict.holes:
            click.echo(f"HOLE {hole}")
        sys.exit(1 if verdict.holes else 0)
    click.echo("advisories not reachable: not checked")
    for line in told:
        click.echo(f"  {line}")


if __name__ == "__main__":
    main()
