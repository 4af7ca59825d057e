"""lists, balance, split and run --only on a finished run of drawn faces."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from fer_audit.audit.stats.tables import corrected_v, cross_table
from fer_audit.cli.output import folder_name
from fer_audit.pipeline.finished import read_run
from fer_audit.text import visible
from tests.cli.conftest import Call
from tests.drawings import draw_face, utkface_name


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def listed(run: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return dict(facts["dataset"])


def test_lists_names_every_list_with_its_rows(fer_audit: Call, finished: Path) -> None:
    found = json.loads(fer_audit("lists", finished, "--json").out)["lists"]
    there = sorted(str(path) for path in (finished / "lists").iterdir())
    assert sorted(each["path"] for each in found) == there
    assert all(each["rows"] > 0 and each["about"] for each in found)


def test_a_balance_is_what_its_plan_says_file_by_file(fer_audit: Call, finished: Path) -> None:
    done = fer_audit("balance", finished, "--mode", "both", "--tolerance", "0.1", "--json")
    facts, folder = json.loads(done.out), finished / "balance" / "race-by-cluster-uniform-both"
    table = parquet.read_table(folder / "keep.parquet").to_pydict()
    kept = [file for file, keep in zip(table["id"], table["keep"], strict=True) if keep]
    assert done.code == 0
    assert (
        json.loads((folder / "plan.json").read_text(encoding="utf-8")) | {"target_name": "uniform"}
        == facts
    )
    assert (folder / "keep.txt").read_text(encoding="utf-8").splitlines() == list(
        map(visible, kept)
    )
    assert len(kept) == facts["images"] - facts["images_lost"]
    assert all(
        (reason is None) is keep
        for reason, keep in zip(table["reason"], table["keep"], strict=True)
    )
    assert len(np.load(folder / "keep.uid.npy")) <= len(kept)
    for cluster, groups in facts["after"].items():
        total = sum(groups.values())
        assert all(abs(n - 0.2 * total) <= 0.1 * total + 1e-6 for n in groups.values()), cluster
    added = read(folder / "add.csv")
    assert sum(int(line["add"]) for line in added) == facts["images_to_add"] > 0
    lines = [json.loads(line) for line in (folder / "augment.jsonl").read_text().splitlines()]
    assert sum(line["copies"] for line in lines) == facts["images_altered"]
    assert {line["id"] for line in lines} <= set(kept)
    assert "no people" in facts["notes"][0]


@pytest.mark.parametrize("by", ["none", "gender", "cluster"])
def test_the_strength_left_is_that_with_the_clusters_whatever_is_balanced_within(
    fer_audit: Call, kept_run: Path, by: str
) -> None:
    run = read_run(kept_run)
    done = fer_audit("balance", kept_run, "--by", by, "--tolerance", "1", "--dry-run", "--json")

    race = json.loads(done.out)["strength"]["race"]

    (column,) = (each for each in run.people if each.name == "race")
    shape = {"n_rows": len(run.clusters.groups), "n_cols": len(column.groups)}
    own = float(corrected_v(cross_table(run.rows.clusters, column.codes, **shape)))
    assert own > 0
    assert race["before"] == race["after_same_clusters"] == own, "nothing is removed"


def test_only_audits_what_a_list_names_without_reading_the_files_again(
    fer_audit: Call,
    faces: Path,
    quick: list[str],
    run_dir: Path,
    tmp_path: Path,
    decoded: list[str],
) -> None:
    fer_audit("audit", faces, *quick)
    whole = np.load(run_dir / "embeddings.npy")
    chosen = sorted(path.name for path in faces.iterdir())[1::2]
    (tmp_path / "keep.txt").write_text("\n".join([*chosen, "nobody.jpg"]))
    decoded.clear()

    words = ["audit", faces, *quick, "--only", tmp_path / "keep.txt", "--out", tmp_path / "half"]
    done = fer_audit(*words)

    facts = listed(tmp_path / "half")
    assert (done.code, facts["listed"]) == (0, len(chosen))
    assert '1 name of it is of no image: "nobody.jpg"' in facts["notes"][0]
    assert np.array_equal(np.load(tmp_path / "half" / "embeddings.npy"), whole[1::2])
    assert "taken from the whole set" in done.err
    (tmp_path / "keep.txt").write_text("\n".join(chosen[1:]))
    fer_audit(*words)
    assert listed(tmp_path / "half")["listed"] == len(chosen) - 1
    (tmp_path / "keep.txt").write_text("nobody.jpg")
    assert fer_audit(*words).code == 3


def test_a_split_keeps_copies_in_one_part_and_says_so(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path
) -> None:
    names = [utkface_name(number) for number in (100, 101)]
    for name in names:
        draw_face(3).save(faces / name, quality=90)
    fer_audit("audit", faces, *quick)

    done = fer_audit("split", run_dir, "--parts", "0.5,0.5", "--group", "hour", "--json")

    facts = json.loads(done.out)
    lines = read(run_dir / "split" / "crawl_hour" / "split.csv")
    part = {line["id"]: line["part"] for line in lines}
    assert facts["in_several_parts"] == {
        "byte_identical": 0, "subject": None, "near_duplicates": 0, "crawl_hour": 0,
    }  # fmt: skip
    assert sum(not each for each in part.values()) == facts["copies_left_out"]
    assert len({part[name] for name in (utkface_name(3), *names)} - {""}) == 1
    assert sum(each["images"] for each in facts["parts"]) == len(lines) - facts["copies_left_out"]
    assert fer_audit("split", run_dir, "--parts", "0.5,0.6").code == 2
    displayed = ["--parts", "0.5,0.5", "--group", "collection hour", "--json"]
    again = fer_audit("split", run_dir, *displayed, "--balance", "age group")
    assert json.loads(again.out)["group"] == ["crawl_hour"]
    assert "It has cluster, race" in fer_audit("split", run_dir, "--group", "mood").err


def test_a_donor_gives_no_photo_that_is_there_and_must_have_the_same_model(
    fer_audit: Call, finished: Path, faces: Path, quick: list[str], tmp_path: Path
) -> None:
    words = ["balance", finished, "--mode", "add", "--tolerance", "0.1", "--json", "--donor"]
    assert json.loads(fer_audit(*words, finished).out)["images_from_donor"] == 0
    for number in range(200, 240):
        draw_face(number).save(faces / utkface_name(number), quality=90)
    other = tmp_path / "other"
    fer_audit("audit", faces, *quick, "--out", other)

    facts = json.loads(fer_audit(*words, other).out)

    folder = finished / "balance" / "race-by-cluster-uniform-add-donor"
    given = read(folder / "donor.csv")
    assert 0 < facts["images_from_donor"] == len(given) <= facts["images_to_add"]
    assert sum(int(line["from_donor"]) for line in read(folder / "add.csv")) == len(given)
    race = dict(enumerate(("White", "Black", "Asian", "Indian", "Others")))
    assert all(race[int(line["id"].split("_")[2])] == line["group"] for line in given)
    (other / "embeddings.npy").unlink()
    assert "has no embeddings.npy" in fer_audit(*words, other).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--mode", "remove", "--tolerance", "0"], "which removals cannot bring"),
        (["--attribute", "mood"], "has no column mood"),
        (["--target", "reference"], "has no counts of race"),
        (["--donor", "RUN"], "it needs --by cluster and --mode add or both"),
    ],
)
def test_what_cannot_be_balanced_is_an_error_that_says_why_and_leaves_nothing(
    fer_audit: Call, finished: Path, words: list[str], said: str
) -> None:
    done = fer_audit("balance", finished, *(finished if word == "RUN" else word for word in words))
    assert done.code == 2
    assert said in done.err
    assert not (finished / "balance").exists()


def test_a_dry_run_shows_the_plan_and_writes_nothing(fer_audit: Call, finished: Path) -> None:
    done = fer_audit("balance", finished, "--mode", "both", "--dry-run")
    assert (done.code, "clustered again" in done.out) == (0, True)
    assert fer_audit("split", finished, "--dry-run").code == 0
    assert not {"balance", "split"} & {path.name for path in finished.iterdir()}


def test_a_purge_with_rows_takes_what_names_files_with_it(
    fer_audit: Call, finished: Path, cache_dir: Path
) -> None:
    fer_audit("balance", finished, "--mode", "both")
    fer_audit("split", finished)
    mine = finished / "split" / "near_duplicates" / "mine.txt"
    mine.write_text("a person's own")
    cache_dir.mkdir(exist_ok=True)

    done = fer_audit("purge", finished, "--rows", "--json", "--cache-dir", cache_dir)

    removed = [each["path"] for each in json.loads(done.out)["removed"]]
    assert {"balance/race-by-cluster-uniform-both", "split/near_duplicates"} <= set(removed)
    left = [path for name in ("balance", "split") for path in (finished / name).rglob("*.*")]
    assert left == [mine]


def test_a_column_with_the_name_of_another_folder_leads_nowhere() -> None:
    assert folder_name(["../../x", "by", "a/b"]) == "_x-by-a_b"
