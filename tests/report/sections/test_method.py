"""How it was computed: model, tests, settings, versions, time taken, and what has no value."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.progress import Timing
from fer_audit.report.blocks import Code
from fer_audit.report.not_computable import missing_values
from fer_audit.report.sections.method import method
from fer_audit.report.view import View
from tests.report.drawn_pictures import some_pictures
from tests.report.results import bare, degenerate, timings, utkface
from tests.report.sections.reading import blocks_of, rows, said, sentences, tables


def test_model_set_tests_settings_and_versions_are_told() -> None:
    base = utkface()
    result = replace(base, config=base.config.having(k=8, fail_on=("race.v>0.2",)))

    facts = sentences(method(View(result, some_pictures())))

    for fact in (
        "set: UTKFace",
        f"fingerprint: {'5d' * 8}…",
        "true of every image: gender Female; place a studio",
        "left out: 9,780 files, copy in another folder; 1 file, earlier frame of a sequence",
        "terms of such a set: research only",
        "model: resnet50-keras",
        f"sha256: {'ab' * 8}…",
        "numbers an image: 2,048",
        "precision: fp32",
        "ran on: CPUExecutionProvider",
        "map: umap neighbours 15, min_dist 0.1",
        "tests: 2 tests in 1 family, correction Holm; 1 test in 1 family, correction Benjamini-Hochberg",
        'settings: k 8, fail on ["race.v>0.2"]',
        "versions: fer-audit 0.1.0, numpy 2.3.0, onnxruntime 1.29.0, scikit-learn 1.7.0, scipy 1.16.0",
        "About the model: Trained on ImageNet, not on faces.",
    ):
        assert fact in facts


def test_every_setting_is_listed_where_there_is_room() -> None:
    section = method(View(utkface()))

    settings = {row["setting"]: row["value"] for row in rows(section, "Settings")}

    assert settings["permutations"] == "10000"
    assert settings["age bins"] == "[0,3,10,20,30,40,50,60,70]"
    assert tables(section)["Settings"].importance == "detail"


def test_a_run_without_a_model_or_tests_names_none() -> None:
    facts = sentences(method(View(bare())))

    unsaid = ("model:", "sha256:", "tests:", "map:", "true of every", "left out:", "terms of")
    assert not any(fact.startswith(unsaid) for fact in facts)


def test_no_report_knows_how_long_it_took_itself() -> None:
    """Else a page that is rendered again from timings.json would be another one."""
    during = method(View(utkface(), None, timings()))
    after = method(View(utkface(), None, (*timings(), Timing("report", 1, 2.0))))

    assert during == after
    embed, cluster = rows(during, "Time taken")[2:]
    assert embed == {
        "stage": "embed",
        "items": "23,707",
        "seconds": "1,204.55",
        "items a second": "20",
        "": "",
    }
    assert (cluster["items a second"], cluster[""]) == ("", "done before")
    assert "Time taken" not in tables(method(View(utkface())))


def test_the_command_is_there_to_copy_and_says_what_it_lacks() -> None:
    base = utkface()
    named = replace(
        base, config=base.config.having(k=8, precision="fp16", batch=(("day", "day"),))
    )
    section = method(View(named))

    assert [block.text for block in blocks_of(section, Code)] == [
        "fer-audit run DATASET --model resnet50-keras --precision fp16 --k 8 --seed 0"
    ]
    assert "Some settings name columns or files of the set" in said(section)
    assert "Some settings name columns" not in said(method(View(base)))


def test_what_has_no_value_is_counted_and_listed_with_its_reason() -> None:
    section = method(View(degenerate()))
    missing = missing_values(degenerate())
    values = sum(len(each.fields) for each in missing)

    listed = rows(section, f"What could not be computed: {values} values")

    assert f"{values} values could not be computed, for " in said(section)
    of_one = sum(len(each.fields) for each in missing if each.reason == "nothing is annotated")
    assert f"{of_one}: nothing is annotated" in sentences(section)
    assert {row["not computable"] for row in listed} >= {"race, question 1", "race, subset check"}
    assert {
        "not computable": "race, diversity indices",
        "values": "ENS",
        "because": "nothing is annotated",
    } in listed
    assert {
        "not computable": "age heaping",
        "values": "whipple",
        "because": "no ages from 23 to 62",
    } in listed
