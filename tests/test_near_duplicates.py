"""A photo that was saved again is found in a run and listed; one of the same colours, and one of the same person, is not."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_audit.config import AuditConfig, PackMode, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import near_pairs, run_audit
from fer_audit.pipeline.purge import purge_run
from fer_audit.report.files.document import read_result
from tests.drawings import utkface_name

LIST = "lists/near_duplicates.csv"
SAVED_AGAIN, ALIKE, OTHER_ALIKE, SAME_PERSON, IDENTICAL = range(10, 15)


@pytest.fixture
def photos(tmp_path: Path) -> FaceDataset:
    """Give ten patterns; of the first two each one in another JPEG, of the first also its bytes; and one turned round."""
    folder = tmp_path / "faces"
    folder.mkdir()
    patterns = np.random.default_rng(0).integers(0, 256, (10, 7, 7, 3), dtype=np.uint8)
    drawn = [Image.fromarray(each).resize((96, 96), Image.Resampling.BICUBIC) for each in patterns]
    turned = drawn[0].transpose(Image.Transpose.ROTATE_180)  # the same colours, so the same vector
    images = [*drawn, drawn[0], turned, turned.resize((40, 40)), drawn[1], drawn[0]]
    paths = [folder / utkface_name(number) for number in range(len(images))]
    for number, (image, path) in enumerate(zip(images, paths, strict=True)):
        image.save(path, quality=40 if number in (SAVED_AGAIN, SAME_PERSON) else 90)
    paths[IDENTICAL].write_bytes(paths[0].read_bytes())
    dataset = load_dataset(folder, AuditConfig())
    order = [path.name for path in paths]
    numbers = np.array([order.index(name) for name in dataset.ids])
    person = np.where(np.isin(numbers, (1, SAME_PERSON)), 0, -1).astype(np.int16)
    attributes = (*dataset.attributes, Attribute("person", ("one",), person, "subject"))
    return replace(dataset, attributes=attributes)


@pytest.mark.parametrize("pack", ["on", "off"])
@pytest.mark.parametrize("most", [0, 50_000])
def test_a_photo_saved_again_is_found_and_a_look_alike_is_not(
    photos: FaceDataset,
    tiny_model: ExportedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pack: PackMode,
    most: int,
) -> None:
    monkeypatch.setattr(near_pairs, "MOST_PIXELS", most)
    out, cache = tmp_path / "run", tmp_path / "cache"
    config = AuditConfig.of(
        model=str(tiny_model.path), k=2, starts=1, sweep_max=2, permutations=9, bootstraps=9, replay=0
    )  # fmt: skip

    def run() -> list[tuple[str, int, str]]:
        run_audit(
            photos, out, config=config, until="audit",
            resources=Resources(cache_dir=cache, pack=pack),
        )  # fmt: skip
        with (out / LIST).open(encoding="utf-8", newline="") as file:
            return [
                (each["group"], int(each["id"][-20:-13]), each["role"])
                for each in csv.DictReader(file)
            ]

    lines = run()

    by_group = [{number for group, number, _ in lines if group == name} for name in ("0", "1")]
    assert sorted(map(sorted, by_group)) == [[0, SAVED_AGAIN, IDENTICAL], [ALIKE, OTHER_ALIKE]]
    assert [role for _, number, role in lines if number in (0, IDENTICAL)] == ["compared", "copy"]
    near = read_result(out / "result.json").near_duplicates
    assert near is not None
    assert (near.compared, near.groups, near.images, near.all_pixels) == (14, 2, 4, most > 0)

    (out / "result.json").unlink()
    monkeypatch.setattr(near_pairs, "find_near_pairs", None)  # the pairs are kept
    assert run() == lines
    purge_run(out, cache, rows=True)
    assert not (out / LIST).exists()
