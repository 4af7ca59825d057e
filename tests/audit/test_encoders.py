"""Claims that hold under every encoder, under some, and as much under random weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from fer_audit.audit.compare.claims import compare_encoders
from fer_audit.audit.types.claim import Claim, LeftAt
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from fer_audit.embed.types import ModelFacts
from fer_audit.report.comparison import comparison_json, make_encoders
from fer_audit.report.render.markdown import blocks_lines
from tests.audit.inputs import attribute, audit_dataset, dataset_of


def claim(v: float, *, strength: str = "clear", grade: str = "most", back: str = "yes") -> Claim:
    left = LeftAt("hour", True, 0.5, 0.9, 0.6, 0.5, 0.7, None, 0.9, grade)
    return Claim(
        "cluster", "race", "demographic", 900, strength, v, 0.03, v - 0.02, v + 0.02, "image",
        None, None, "", 0, (left,), "", back, "",
    )  # fmt: skip


def run(model: str, *claims: Claim) -> AuditResult:
    base = audit_dataset(
        dataset_of(attribute("race", np.arange(40) % 2, ("a", "b"))), config=AuditConfig()
    )
    facts = ModelFacts(model, "0" * 64, "CPUExecutionProvider", "fp32", 2, "")
    return base.having(model=facts, claims=claims)


def test_a_claim_holds_where_it_is_above_chance_more_than_a_trace_and_comes_back() -> None:
    models = {
        "good": claim(0.4),
        "chance": claim(0.01, strength="at chance"),
        "trace": claim(0.4, grade="trace"),
        "gone": claim(0.4, back="no"),
        "other": claim(0.3, grade="cannot tell", back="unknown"),
    }

    (found,) = compare_encoders({name: run(name, x) for name, x in models.items()}).claims

    held = zip(models, found.under, strict=True)
    assert [model for model, each in held if each is not None and each.holds] == ["good", "other"]
    assert (found.holds_under, found.encoders, found.floor) == (2, 5, None)


def test_random_weights_are_the_floor_and_no_encoder_that_must_agree() -> None:
    runs = {"a": run("a", claim(0.4)), "b": run("b", claim(0.3))}
    low = compare_encoders({**runs, "r": run("resnet50-random", claim(0.1))})
    high = compare_encoders({**runs, "r": run("resnet50-random", claim(0.29))})

    assert (low.claims[0].holds_under, low.claims[0].encoders) == (2, 2)
    assert (low.claims[0].above_floor, high.claims[0].above_floor) == (True, False)


def test_it_is_told_as_a_report_and_as_json() -> None:
    labels = replace(claim(0.4), of="expression")
    found = compare_encoders(
        {"a": run("a", claim(0.4), labels), "b": run("b", claim(0.01, strength="at chance"))}
    )

    (section,) = make_encoders(found).sections
    text = "\n".join(blocks_lines(section.blocks, level=2, least="normal"))
    document = json.loads(comparison_json(found))

    assert "Race: holds under 1 of 2 encoders; it depends on the network." in text
    assert [x["attribute"] for x in document["claims"]] == ["race"]
    assert document["schema"] == "fer-audit/encoders/2"
