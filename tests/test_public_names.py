"""The names a user may import: all of them promised, all of them there, none of them slow to name."""

from __future__ import annotations

import subprocess
import sys

import pytest

import fer_audit

PROMISED = {
    *("load_dataset", "run_audit", "read_result"),
    *("AuditConfig", "AuditResult", "FaceDataset", "Resources", "Run"),
    *("FerAuditError", "ConfigError", "ModelError", "DatasetError", "StoreError", "LockedError"),
    "__version__",
}


def test_all_is_what_we_promise_in_order() -> None:
    assert set(fer_audit.__all__) == PROMISED
    assert list(fer_audit.__all__) == sorted(fer_audit.__all__)


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(fer_audit, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'run_everything'"):
        fer_audit.run_everything  # noqa: B018 - the access is the test


def test_a_star_import_gives_exactly_the_public_names() -> None:
    names: dict[str, object] = {}

    exec("from fer_audit import *", names)

    assert set(names) - {"__builtins__"} == PROMISED


def test_importing_the_package_loads_no_numpy() -> None:
    code = "import sys, fer_audit; print('numpy' in sys.modules, 'onnxruntime' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
