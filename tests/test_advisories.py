"""`make check` tells "no holes" from "nobody was asked"."""

from __future__ import annotations

from tests.advisories import Verdict, read_verdict

WHOLE = {"name": "numpy", "version": "2.4.6", "vulns": []}
UNKNOWN = {"name": "scipy", "skip_reason": "Dependency not found on PyPI"}
HOLED = {
    "name": "pillow",
    "version": "1.0",
    "vulns": [{"id": "X-1", "fix_versions": ["1.1", "2.0"]}, {"id": "X-2", "fix_versions": []}],
}


def test_packages_that_nobody_knows_are_not_checked() -> None:
    """pip-audit calls this "No known vulnerabilities found"."""
    assert read_verdict({"dependencies": [UNKNOWN]}) == Verdict(0, ("scipy",), ())


def test_a_hole_is_told_with_the_version_that_mends_it() -> None:
    verdict = read_verdict({"dependencies": [WHOLE, UNKNOWN, HOLED]})

    assert verdict.checked == 2
    assert verdict.holes == (
        "pillow 1.0: X-1, mended in 1.1, 2.0",
        "pillow 1.0: X-2, mended in no version yet",
    )


def test_our_own_package_is_no_dependency() -> None:
    ours = {"name": "fer-audit", "skip_reason": "not on PyPI"}

    assert read_verdict({"dependencies": [WHOLE, ours]}) == Verdict(1, (), ())
