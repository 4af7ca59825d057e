"""The page of a run: rendered again from its JSON files alone, about no machine, and small."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from fer_audit.encoders.types import ExportedModel
from fer_audit.report.files.document import read_result
from fer_audit.report.files.pictures import (
    MapColouring,
    MapPoints,
    Pictures,
    grid_of,
    read_pictures,
)
from fer_audit.report.files.timings import read_timings
from fer_audit.report.render.html import render_page
from fer_audit.report.report import make_report
from fer_audit.report.view import View
from tests.report.pages import demo_page
from tests.report.results import utkface

MAX_BYTES = 2_000_000
"""What a page without thumbnails may weigh at 24,000 images."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> Path:
    return demo_page(tmp_path_factory.mktemp("page"), tiny_model)


def test_the_page_of_a_run_is_rendered_again_from_its_json_files_byte_for_byte(page: Path) -> None:
    run = page.parent

    again = make_report(
        View(
            read_result(run / "result.json"),
            read_pictures(run / "pictures.json"),
            read_timings(run / "timings.json"),
        )
    )

    assert render_page(again).encode() == page.read_bytes()


def test_the_page_names_no_place_of_this_machine(page: Path) -> None:
    source = page.read_text(encoding="utf-8")

    assert f"{Path.home()}/" not in source
    assert re.findall("/tmp/pytest-[^ <]*|file://", source) == []


def test_a_page_of_24_000_images_is_small() -> None:
    """With a colouring of 22 days, the noisiest one: no point's neighbour has its colour."""
    rng = np.random.default_rng(0)
    n = 24_000
    box, grid = grid_of(rng.normal(size=(n, 2)).astype(np.float32))
    colourings = tuple(
        MapColouring(
            name,
            "batch" if name == "day" else "cluster" if name == "cluster" else "demographic",
            tuple(map(str, range(groups))),
            rng.integers(-1, groups, n).astype(np.int16),
        )
        for name, groups in (("cluster", 4), ("race", 5), ("gender", 2), ("age", 9), ("day", 22))
    )
    points = MapPoints("pca", (), n, box, np.arange(n, dtype=np.int32), grid, colourings)

    page = render_page(make_report(View(utkface(), Pictures(points, (), (), ()))))

    assert len(page.encode()) < MAX_BYTES
