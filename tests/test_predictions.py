"""Predictions of a run: added to a finished one, kept, recorded, purged; what a model may say of people, and what not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from fer_audit.audit.types.copies import NearPairs
from fer_audit.classify.types import PredictedNumbers, Predictions, Predictor, Said
from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.encoders.catalog import CATALOG
from fer_audit.encoders.presets import Contract
from fer_audit.encoders.types import ExportedModel, Head
from fer_audit.errors import ConfigError, ModelError
from fer_audit.pack.rows import empty_rows
from fer_audit.pipeline import Run, run_audit
from fer_audit.pipeline.held_out import units_together
from fer_audit.pipeline.import_model import import_model
from fer_audit.pipeline.predictions import trained_on, with_predicted
from fer_audit.pipeline.purge import purge_run
from fer_audit.report.files.document import read_result
from tests.drawings import draw_face
from tests.foreign_graphs import Drawn

EXPRESSIONS = ("happy", "sad")
Audit = Callable[..., Run]


@pytest.fixture
def expressions(tmp_path: Path) -> Path:
    """Give 40 drawn faces of ten people under CK+48's names, in two class folders."""
    folder = tmp_path / "CK+48"
    for number in range(40):
        there = folder / EXPRESSIONS[number % 2]
        there.mkdir(parents=True, exist_ok=True)
        name = f"S{number % 10:03d}_{1 + number // 10:03d}_000000{10 + number}.png"
        draw_face(number).save(there / name)
    return folder


@pytest.fixture
def net(tmp_path: Path) -> ExportedModel:
    """Give a classifier: two expressions, and an age."""
    heads = (Head("expression", EXPRESSIONS), Head("age"))
    contract = Contract(colour="RGB", mean=(0.0,), scale=(1 / 64,), heads=heads)
    path = Drawn(width=3).save(tmp_path / "net.onnx")
    return import_model(
        path, contract, name="net", models_dir=tmp_path / "models", image=None
    ).model


@pytest.fixture
def audit(expressions: Path, tiny_model: ExportedModel, run_dir: Path, cache_dir: Path) -> Audit:
    def call(**settings: Any) -> Run:  # noqa: ANN401 - settings by name
        config = AuditConfig.of(
            model=str(tiny_model.path), k=2, starts=2, sweep_max=3, permutations=40, bootstraps=20
        )
        return run_audit(
            expressions,
            run_dir,
            config=config.having(**settings),
            resources=Resources(cache_dir=cache_dir, device="cpu", workers=1),
            until="audit",
        )

    return call


def done(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.folder / "DONE.json").read_text())
    return found


def test_a_finished_run_gets_predictions_and_nothing_is_embedded_again(
    audit: Audit, net: ExportedModel, tmp_path: Path, decoded: list[str]
) -> None:
    plain = done(audit())
    vectors = (tmp_path / "run" / "embeddings.npy").read_bytes()
    decoded.clear()

    rule = "linear on mean-colour.worst_recall<0"
    run = audit(predict=(str(net.path),), classify=("svm", "linear"), fail_on=(rule,))

    assert run.result is not None
    assert [each.rule for each in run.result.gate] == [rule]
    after, once = done(run), len(run.dataset)
    assert len(decoded) == once, "for the classifier's own size, and not for the encoder's"
    assert (tmp_path / "run" / "embeddings.npy").read_bytes() == vectors
    for stage in ("dataset", "pack", "embed", "cluster"):
        assert after["fingerprints"][stage] == plain["fingerprints"][stage]
    names = ["net", "svm on mean-colour", "linear on mean-colour"]
    assert list(after["fingerprints"]["predictions"]) == names
    assert "predictions.parquet" in after["files"]
    assert "predictions.parquet" not in plain["files"]
    settings = read_result(run.folder / "result.json").config.classifiers
    assert settings.predict == ("net.onnx",), "where a model lies is the user's own business"

    table = parquet.read_table(run.folder / "predictions.parquet")
    facts = json.loads(table.schema.metadata[b"fer-audit"])
    assert [each["held_out_by"] for each in facts if each["kind"] == "heldout"] == ["subject"] * 2
    assert facts[0]["sha256"] == net.sha256
    rows = table.to_pydict()
    assert rows["id"] == [*run.dataset.ids]
    likeliest = [EXPRESSIONS[int(p < 0.5)] for p in rows["net_expression_p_happy"]]
    assert rows["net_expression"] == likeliest
    subject = run.dataset.attribute("subject").codes
    for person in np.unique(subject):
        folds = {
            rows["svm on mean-colour_expression_fold"][i]
            for i in np.flatnonzero(subject == person)
        }
        assert len(folds) == 1

    decoded.clear()
    again = audit(predict=(str(net.path),), classify=("svm", "linear"))
    assert again.reused
    assert not decoded
    other = audit(predict=(str(net.path),), classify=("svm", "linear"), k=3)
    assert not other.reused
    assert not decoded
    kept = parquet.read_table(other.folder / "predictions.parquet").to_pydict()
    assert kept == rows, "another k changes no prediction"

    audit()
    assert not (tmp_path / "run" / "predictions.parquet").exists(), "they were not asked for"


def test_what_is_said_of_people_is_an_attribute_of_its_own_where_nobody_annotated_it(
    audit: Audit, net: ExportedModel
) -> None:
    run = audit(predict=(str(net.path),), given=(("predicted_age_bin",),))

    assert run.result is not None
    (age,) = (each for each in run.result.representation if each.kind == "demographic")
    assert (age.attribute, age.source) == ("predicted_age_bin", "predicted")
    assert any("nobody annotated it" in note for note in run.result.dataset.notes)
    assert run.result.dataset.fingerprint == run.dataset.fingerprint
    assert "predicted_age_bin" in parquet.read_table(run.folder / "rows.parquet").column_names


def test_annotated_labels_stay_alone(faces: Path) -> None:
    dataset = load_dataset(faces)
    n = len(dataset)
    facts = (np.ones(n, np.bool_), np.full(n, ""), Predictor("net", "model", ""), "")
    codes = np.zeros(n, np.int16)
    said: tuple[Said, ...] = (
        Predictions("gender", ("male", "female"), codes, None, *facts),
        PredictedNumbers("age", np.full(n, 30.7, np.float32), *facts),
    )

    same, to_audit = with_predicted(dataset, said, (0, 18))
    bare = replace(dataset, attributes=(), ages=None)
    more, none = with_predicted(bare, said, (0, 18))

    assert same is dataset
    assert [each.about for each in to_audit] == ["gender"]
    assert [each.name for each in more.attributes] == ["predicted_gender", "predicted_age_bin"]
    assert all(each.source == "predicted" for each in more.attributes)
    assert more.attributes[1].counts().tolist() == [0, n]
    assert not none
    assert with_predicted(replace(bare, facts=(("gender", "female"),)), said[:1], (0,))[1]


def test_purge_takes_predictions_with_the_rows_and_the_pixels_of_every_size(
    audit: Audit, net: ExportedModel, run_dir: Path, cache_dir: Path
) -> None:
    audit(predict=(str(net.path),))

    purge_run(run_dir, cache_dir)
    assert (run_dir / "predictions.parquet").exists()
    purge = purge_run(run_dir, cache_dir, rows=True)

    assert not (run_dir / "predictions.parquet").exists()
    assert "predictions" in [each.what for each in purge.removed]
    assert not [*cache_dir.rglob("*.npy")]


@pytest.mark.parametrize(
    ("trained", "form", "name", "known"),
    [
        ("fer-mini", "fer2013", "faces", "FER2013"),
        ("fer-mini", "ferplus", "faces", "FER+"),
        ("fer-mini", "folder", "my_FER-2013_faces", "FER2013"),
        ("fer-mini", "folder", "fer20133", ""),
        ("fer-mini", "ckplus", "CK+48", ""),
        ("agegender-faceapi", "table", "UTKFace", "UTKFace"),
        ("agegender-faceapi", "fairface", "faces", ""),
        ("fer-faceapi", "folder", "faces", ""),
        ("AffectNet", "affectnet8", "x", "AffectNet"),
        ("RAF-DB and others", "rafdb", "x", "RAF-DB"),
        ("FER2013", "folder", "fer2013", "FER2013"),
        ("a table", "table", "table", ""),
        ("faces of lab7", "folder", "lab7", "lab7"),
        ("CK+48", "ckplus", "CK+48", "CK+48"),
        ("public and scraped faces", "folder", "faces", ""),
        ("", "fer2013", "x", ""),
    ],
)
def test_a_set_is_known_by_its_format_or_its_name(
    faces: Path, trained: str, form: str, name: str, known: str
) -> None:
    """`trained`: a model of the catalog, or what one was trained on."""
    dataset = replace(load_dataset(faces), format=form, name=name)
    spec = next((each.spec for each in CATALOG if each.spec.name == trained), None)
    spec = spec or replace(CATALOG[0].spec, trained_on=trained)

    assert trained_on(spec, dataset) == known


def test_no_model_labels_the_people_it_was_trained_on(
    faces: Path,
    net: ExportedModel,
    run_dir: Path,
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fer_audit.pipeline.predictions.trained_on", lambda *_: "UTKFace")
    resources = Resources(cache_dir=cache_dir, device="cpu")
    config = AuditConfig.of(model=str(net.path), predict=(str(net.path),))

    with pytest.raises(ModelError, match="nothing to cluster"):
        run_audit(faces, run_dir, config=config, resources=resources)
    config = AuditConfig.of(model="lbp", predict=(str(net.path),))
    with pytest.raises(ModelError, match="trained on UTKFace: it would give that set's age back"):
        run_audit(faces, run_dir, config=config, resources=resources)


def test_what_was_trained_on_the_set_is_in_sample(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = Contract(
        colour="RGB", mean=(0.0,), scale=(1 / 64,), heads=(Head("expression", EXPRESSIONS),)
    )
    path = Drawn(width=2).save(tmp_path / "two.onnx")
    model = import_model(path, contract, name="two", models_dir=tmp_path / "m", image=None).model
    monkeypatch.setattr("fer_audit.pipeline.predictions.trained_on", lambda *_: "CK+48")

    run = audit(predict=(str(model.path),))

    metadata = parquet.read_schema(run.folder / "predictions.parquet").metadata
    (facts,) = json.loads(metadata[b"fer-audit"])
    assert "its accuracy here is in-sample" in facts["notes"][0]


def test_a_table_is_known_by_its_bytes(audit: Audit, tmp_path: Path) -> None:
    table = tmp_path / "theirs.csv"
    ids = load_dataset(tmp_path / "CK+48").ids
    lines = [f"{each},{'Man' if i % 2 else 'Woman'}" for i, each in enumerate(ids[:30])]
    table.write_text("\n".join(["path,dominant_gender", *lines]))

    first = done(audit(predictions=(f"gender2={table}",)))
    run = audit(predictions=(f"gender2={table}",))
    assert run.reused
    table.write_text(table.read_text().replace("Woman", "Man", 1))
    second = done(audit(predictions=(f"gender2={table}",)))

    for name in ("embed", "cluster", "audit"):
        assert first["fingerprints"][name] == second["fingerprints"][name]
    assert first["fingerprints"]["predictions"] != second["fingerprints"]["predictions"]
    result = read_result(tmp_path / "run" / "result.json")
    assert result.config.classifiers.predictions == ("gender2=theirs.csv",)
    (gender,) = (each for each in result.representation if each.kind == "demographic")
    assert (gender.attribute, gender.annotated) == ("predicted_gender", 30)
    assert {group.name: group.count for group in gender.groups} == {"male": 16, "female": 14}


def test_what_cannot_be_predicted_is_said_before_any_work(
    audit: Audit,
    net: ExportedModel,
    faces: Path,
    tiny_model: ExportedModel,
    decoded: list[str],
    tmp_path: Path,
) -> None:
    config = AuditConfig.of(model=str(tiny_model.path), classify=("svm",))
    for settings, match in (
        ({"predict": (str(net.path),), "predictions": ("net.onnx",)}, "no table of predictions"),
        ({"predict": (str(net.path),), "given": (("predicted_mood",),)}, "predicted_mood"),
        ({"predict": (str(tiny_model.path),)}, "no classes"),
        ({"classify": ("svm",), "fail_on": ("smv on mean-colour.xu_f<1",)}, "did you mean svm on"),
    ):
        with pytest.raises(Exception, match=match):
            audit(**settings)
    with pytest.raises(ConfigError, match="needs expression labels"):
        run_audit(faces, tmp_path / "run", config=config, resources=Resources(device="cpu"))
    assert not decoded


def test_copies_near_images_and_people_are_one_unit(expressions: Path) -> None:
    dataset: FaceDataset = load_dataset(expressions)
    n = len(dataset)
    subject = dataset.attribute("subject").codes
    sha256 = np.array([f"{i:064x}" for i in range(n)], "S64")
    one, two = np.flatnonzero(subject == 0)[0], np.flatnonzero(subject == 1)[0]
    sha256[two] = sha256[one]

    rows = replace(empty_rows(n), ok=np.ones(n, np.bool_), sha256=sha256)
    alike = NearPairs(
        *(np.array([0, 2]), np.array([1, 3]), np.ones(2), np.ones(2)), floor=0.0, all_pixels=True
    )
    nobody = replace(dataset, attributes=(dataset.attribute("expression"),))

    units = units_together(dataset, rows, alike)

    assert len(np.unique(units)) == 9
    assert units[one] == units[two]
    for person in range(2, 10):
        assert len(np.unique(units[subject == person])) == 1
    unnamed = units_together(nobody, replace(rows, sha256=np.full(n, b"", "S64")), alike)
    assert unnamed.tolist() == [0, 0, 1, 1, *range(2, n - 2)]
