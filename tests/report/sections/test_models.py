"""Whom a model fails, in words, tables and one chart; without true labels nothing is called right."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.run import audit
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.blocks import Section
from fer_audit.report.charts.theme import page_svg
from fer_audit.report.files.document import parse_result, result_json
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.sections.models import models
from fer_audit.report.view import View
from tests.audit.inputs import clustering_of
from tests.audit.predicted import planted, predictions_of
from tests.known import known
from tests.report.results import HOSTILE, utkface
from tests.report.sections.reading import rows, said, tables

WORST = "fer-mini: Where it does worse than for all other groups, beyond chance"
APART = "fer-mini: How far apart groups are"


@pytest.fixture(scope="module")
def result() -> AuditResult:
    made = planted(clustering=clustering_of(np.arange(3000) % 2, k=2))
    rng = np.random.default_rng(2)
    (first,) = made.predictions
    codes = np.where(rng.random(3000) < 0.8, first.codes, rng.integers(0, 3, 3000))
    return audit(replace(made, predictions=(first, predictions_of(codes, name="second"))))


@pytest.fixture(scope="module")
def section(result: AuditResult) -> Section:
    return known(models(View(result)))


def test_without_predictions_there_is_no_section() -> None:
    assert models(View(utkface())) is None


def test_the_short_report_has_three_lines(section: Section) -> None:
    lines = [x for x in section.blocks if x.importance == "summary"]

    assert section.title == "Whom do the models fail?"
    assert len(lines) == 3
    _, first, whom, more = said(Section("", "", tuple(lines))).split("\n")
    assert re.match(r"Right about labelled faces: fer-mini 8\d\.\d % \(.*\), second 7\d\.", first)
    assert first.endswith("Expressions are not emotions; labels are annotators' readings.")
    assert whom.startswith("fer-mini is right about sad in 49 % of faces of race B")
    assert more == "The models call women happy more often than men."


def test_the_worst_cells_are_those_beyond_chance(section: Section) -> None:
    found = [(x["by"], x["group"], x["class"]) for x in rows(section, WORST)]

    assert [x[1:] for x in found if x[0] == "race"] == [("B", "sad")]
    silent = audit(replace(planted(), predictions=(predictions_of(np.zeros(3000, int)),)))
    assert "No group and class is shown to do worse than the others" in said(models(View(silent)))


def test_without_groups_of_people_nothing_is_said_of_differences() -> None:
    inputs = planted()
    label = inputs.dataset.attribute("expression")
    alone = audit(replace(inputs, dataset=replace(inputs.dataset, attributes=(label,))))

    words = said(models(View(alone)))

    assert "No group and class could be compared" in words
    assert "no difference is shown" not in words


def test_a_gap_stands_next_to_what_chance_gives(section: Section) -> None:
    table = {x["by"]: x for x in rows(section, APART)}

    assert re.fullmatch(
        r"\.\d{3} \(\.0\d\d\), p ≤ \.001", table["race"]["gap in accuracy (by chance)"]
    )
    assert re.fullmatch(r"\.0\d\d, p = \.\d{3}", table["gender"]["gap in recall"])


def test_agreement_and_what_is_agreed_on_stand_last(section: Section) -> None:
    (agreement,) = rows(section, "Agreement of models")

    assert agreement["models"] == "fer-mini and second"
    assert list(tables(section))[-2:] == [
        "All models agree, by race",
        "All models agree, by gender",
    ]


def test_a_set_without_people_has_its_classes_and_says_what_could_not_be_asked() -> None:
    made = planted()
    labels = tuple(x for x in made.dataset.attributes if x.kind == "label")
    found = audit(replace(made, dataset=replace(made.dataset, attributes=labels)))
    section = known(models(View(found)))
    model = known(found.models).models[0]

    assert "Whether groups are treated alike could not be asked" in said(section)
    assert "is shown to be failed" not in said(section)
    happy = rows(section, "Each class")[0]
    assert (happy["true class"], "by votes" in happy) == ("happy", False)
    assert happy["predicted right"].startswith(
        f"{100 * known(model.overall.cells[0].recall):.1f} %"
    )
    assert known(model.accuracy) == pytest.approx(model.overall.errors[0].accuracy)
    assert len(charts_of(make_report(View(found), "models"))) == 1


def test_details_stay_folded(section: Section) -> None:
    folded = [name for name, x in tables(section).items() if x.importance == "detail"]

    assert "fer-mini: B (race): true classes down, predicted across" in folded
    assert "second: Recall of each group and class, by race" in folded


def test_without_true_labels_the_report_says_so_first() -> None:
    bare = audit(planted(labelled=False))
    section = known(models(View(bare)))
    text = said(section)

    assert section.title == "What does the model predict of whom?"
    assert text.split("\n")[1].startswith("No column says what is right")
    assert not re.search("accura|recall|[Ww]hom .* fail", text)
    assert list(rows(section, "Predicted, by gender")[0].values())[2].startswith("59.")
    (chart, _) = charts_of(make_report(View(bare), "models"))
    assert "not how often the model is right" in chart.note


def test_charts_are_drawn_of_any_names(result: AuditResult) -> None:
    found = known(result.models)
    (by,) = [x for x in found.models[0].by if x.attribute == "race"]
    renamed = dict(zip("ABC", HOSTILE, strict=False))
    hostile = replace(
        by,
        cells=tuple(replace(x, group=renamed[x.group], too_few=x.group == "C") for x in by.cells),
        rates=tuple(replace(x, group=renamed[x.group]) for x in by.rates),
    )
    model = replace(found.models[0], model=HOSTILE[4], by=(hostile,))
    view = View(result.having(models=replace(found, models=(model,))))

    (chart,) = charts_of(make_report(view, "models"))

    text = page_svg(chart)
    assert "<script>" not in text
    assert text.count('class="told"') == 9
    assert chart.alt.startswith("Recall by group and expression, lowest and highest: ")


def test_the_file_holds_it_all(result: AuditResult) -> None:
    assert parse_result(result_json(result)).models == result.models
