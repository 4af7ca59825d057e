"""The list of formats is the one place that loading and the command line read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fer_audit.config import DatasetSettings
from fer_audit.dataset import formats
from fer_audit.dataset.formats.registry import FORMATS, Format, Match
from fer_audit.dataset.listing import DatasetPath
from tests.dataset.trees import plant


def test_every_module_of_a_format_is_in_the_list_and_the_other_way_round() -> None:
    folder = Path(formats.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry"}

    assert modules == {form.name for form in FORMATS}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_looks_at_a_folder_and_says_what_it_is(form: Format, tmp_path: Path) -> None:
    given = DatasetPath(plant(tmp_path, "happy/a.jpg"), is_folder=True)

    assert form.sniff(given, DatasetSettings()) in Match
    assert form.about


def test_the_formats_are_listed_without_loading_numpy() -> None:
    code = (
        "import sys, fer_audit.cli.options, fer_audit.dataset.formats.registry;"
        "print('numpy' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
