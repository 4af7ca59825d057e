"""Rules that end a run with exit code 1: `SUBJECT.FIELD OP NUMBER`, e.g. `race.v_corrected>0.2`.

    rule     = (subject "." field | "conflicts" | "thin_groups") op number
    subject  = the name of an attribute or a model | dataset | duplicates | cells | clustering | attribute ".left" | batch ".predicts"
    op       = ">=" | "<=" | "==" | "!=" | ">" | "<"
    number   = decimal, e.g. 5, -0.2, 1e-3

The name of an attribute or a model may be the one that reports display: age group for age_bin.
A rule says what is not acceptable: it is crossed when the comparison is true.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.models import ModelsAudit
from fer_audit.audit.types.result import AuditResult, GateRule
from fer_audit.errors import ConfigError
from fer_audit.text import name_meant, six_figures

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
ATTRIBUTE_FIELDS = (
    *("v", "v_corrected", "low", "high", "p", "p_holm", "u", "balance", "rung", "min_share"),
    *("max_share", "min_ratio", "min_count", "groups", "ENS", "IR", "NSD", "tv"),
    *("not_annotated", "homophily_gain", "strength"),
)
"""Of an attribute: its association with the clusters, its ladder and its shares."""
MODEL_FIELDS = ("worst_recall", "recall_gap", "xu_f")
"""Of a model: the worst over the demographic attributes; cells of fewer than 30 units count in none."""
ALONE = ("conflicts", "thin_groups")
"""Fields without a subject: photos that appear more than once with contradicting labels; combinations of groups with under
30 images, those without any among them."""
FIELDS: Mapping[str, tuple[str, ...]] = {
    "dataset": ("listed", "ok", "failed", "failed_share", "fully_labelled", "rejects", "flags"),
    "duplicates": ("groups", "files", "conflicts"),
    "cells": ("all", "empty", "under_30"),
    "clustering": ("k", "ari", "unstable", "min_jaccard", "smallest"),
}
LEFT = ".left"
"""Of an attribute: its fields are the levels of its claim, `claims[].left[].per_entropy`."""
PREDICTS = ".predicts"
"""Of a batch attribute: its fields are the attributes it gives away, `batch_predictions[].left_out_accuracy`."""
_OPERATOR = re.compile(r">=|<=|==|!=|>|<")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed rule."""

    text: str
    subject: str
    field: str
    symbol: str
    number: float

    @property
    def looks_at(self) -> str:
        """What stands before the comparison."""
        return f"{self.subject}.{self.field}" if self.subject else self.field


def parse_rule(text: str, attributes: Sequence[str] = (), models: Sequence[str] = ()) -> Rule:
    """Return a rule; raises ConfigError with a caret under the first character that does not fit.

    A subject that is one of `attributes` or of `models` has the fields of those only; any other has the fields of both.
    """
    found = _OPERATOR.search(text)
    if found is None:
        _refuse(text, len(text), f"expected one of {' '.join(OPERATORS)}")
    left = text[: found.start()].rstrip()
    subject, dot, field = left.rpartition(".")
    alone = not dot and field.strip() in ALONE
    if not dot and not alone:
        _refuse(text, len(left), 'expected "." and a field')
    at, subject = len(subject) + 1, subject.strip()
    if alone:
        field = field.strip()
    elif not subject:
        _refuse(text, 0, 'expected a subject before "."')
    if not _FIELD.fullmatch(field):
        wrong = _FIELD.match(field)
        _refuse(text, at + (wrong.end() if wrong else 0), "expected a field's name")
    fields = ALONE if alone else _fields_of(subject, attributes, models)
    if field not in fields and not subject.endswith((LEFT, PREDICTS)):
        _refuse(text, at, _no_field(subject, field, fields))
    start = len(text) - len(text[found.end() :].lstrip())
    number = _NUMBER.match(text, start)
    if number is None:
        _refuse(text, start, "expected a number")
    if rest := text[number.end() :].strip():
        _refuse(text, text.index(rest, number.end()), "expected nothing more")
    if not math.isfinite(value := float(number[0])):
        _refuse(text, start, "the number is too large")
    return Rule(text, subject, field, found[0], value)


def _fields_of(subject: str, attributes: Sequence[str], models: Sequence[str]) -> tuple[str, ...]:
    if subject in FIELDS:
        return FIELDS[subject]
    a_label, a_model = (name_meant(subject, names) in names for names in (attributes, models))
    return (
        *(ATTRIBUTE_FIELDS if a_label or not a_model else ()),
        *(MODEL_FIELDS if a_model or not a_label else ()),
    )


def refuse_unknown_subjects(
    rules: Sequence[str], attributes: Sequence[str], models: Sequence[str] = ()
) -> None:
    """Raise ConfigError for a rule that cannot be read, or names no attribute or model, or no field of it; before any work is done."""
    for text in rules:
        rule = parse_rule(text, attributes, models)
        name = rule.subject.removesuffix(LEFT).removesuffix(PREDICTS)
        known = (*attributes, *models, *FIELDS)
        if rule.subject and name_meant(name, known) not in known:
            _refuse(text, 0, f"this dataset has no subject {name}{_which(name, known)}")


def refuse_unknown_names(rules: Sequence[str], result: AuditResult) -> None:
    """Raise ConfigError for a rule that cannot be read or names what a finished run does not have.

    A field that a run could have, but has no value for, is no error: its rule is not judged.
    """
    models = () if result.models is None else [each.model for each in result.models.models]
    refuse_unknown_subjects(rules, [each.attribute for each in result.representation], models)
    for text in rules:
        rule = parse_rule(text)
        fields = _values(rule.subject, result)
        if rule.subject.endswith((LEFT, PREDICTS)) and fields and rule.field not in fields:
            why = _no_field(rule.subject, rule.field, tuple(fields))
            _refuse(text, text.index(rule.subject) + len(rule.subject) + 1, why)


def _no_field(subject: str, field: str, fields: Sequence[str]) -> str:
    return f"{subject} has no field {field}{_which(field, fields)}"


def _which(asked: str, known: Sequence[str]) -> str:
    """Return the end of a sentence about a name that is not there: the nearest one, in any case, and all there are."""
    folded = {each.casefold(): each for each in known}
    near = get_close_matches(asked.casefold(), folded, n=1)
    meant = f"; did you mean {folded[near[0]]}?" if near else "."
    return f"{meant} It has: {', '.join(known)}"


def check_rules(rules: Sequence[str], result: AuditResult) -> tuple[GateRule, ...]:
    """Return each rule with the value it looked at, in the order given."""
    return tuple(_check(parse_rule(text), result) for text in rules)


def _check(rule: Rule, result: AuditResult) -> GateRule:
    value = _values(rule.subject, result).get(rule.field)
    if value is None:
        reason = f"{rule.looks_at} has no value in this run, so the rule is not crossed"
        return GateRule(rule.text, None, crossed=False, reason=reason)
    crossed = OPERATORS[rule.symbol](value, rule.number)
    verb = "is crossed" if crossed else "holds off"
    reason = f"{rule.looks_at} is {six_figures(value)}: the rule {verb}"
    return GateRule(rule.text, float(value), crossed=crossed, reason=reason)


def _values(subject: str, result: AuditResult) -> Mapping[str, float | None]:
    """Return the fields of a subject, which may be written as reports do, e.g. age group."""
    facts, copies, cells = result.dataset, result.duplicates, result.intersections
    if cells is not None and cells.not_computable and not cells.n:
        cells = None
    if subject == "dataset":
        return {
            **{
                name: getattr(facts, name) for name in ("listed", "ok", "failed", "fully_labelled")
            },
            "failed_share": facts.failed / facts.listed if facts.listed else None,
            "rejects": sum(each.count for each in facts.rejects),
            "flags": sum(each.count for each in facts.flags),
        }
    if subject == "duplicates":
        conflicts = copies.contradicting
        return {"groups": copies.groups, "files": copies.files, "conflicts": conflicts}
    if subject == "cells":
        names = {"all": "cells", "empty": "empty", "under_30": "under_30"}
        return {name: getattr(cells, of) for name, of in names.items()} if cells else {}
    if not subject:
        few = (None, None) if cells is None else (cells.empty, cells.under_30)
        thin = None if None in few else sum(each or 0 for each in few)
        return {"conflicts": copies.contradicting, "thin_groups": thin}
    labels = [each.attribute for each in result.representation]
    if subject.endswith(LEFT):
        claim = (CLUSTER, name_meant(subject.removesuffix(LEFT), labels))
        about = (each for each in result.claims if (each.of, each.attribute) == claim)
        return {left.level: left.per_entropy for each in about for left in each.left}
    if subject.endswith(PREDICTS):
        batches = [each.batch for each in result.batch_predictions]
        batch = name_meant(subject.removesuffix(PREDICTS), batches)
        found = [each for each in result.batch_predictions if each.batch == batch]
        return {each.attribute: each.left_out_accuracy for each in found}
    models = () if result.models is None else result.models.names
    if result.models is not None and (model := name_meant(subject, models)) in models:
        return _of_model(model, result.models)
    if subject == "clustering":
        return _of_clusters(result)
    return _of_attribute(name_meant(subject, labels), result)


def _of_model(name: str, found: ModelsAudit) -> Mapping[str, float | None]:
    by = [x for model in found.models if model.model == name for x in model.by if x.demographic]

    def worst(field: str, pick: Callable[[list[float]], float]) -> float | None:
        known = [value for x in by if (value := getattr(x, field)) is not None]
        return pick(known) if known else None

    return {name: worst(name, max if name == "recall_gap" else min) for name in MODEL_FIELDS}


def _of_clusters(result: AuditResult) -> Mapping[str, float | None]:
    values: dict[str, float | None] = {}
    if result.clustering is not None:
        values |= {"k": result.clustering.k, "smallest": _least(result.clustering.sizes)}
    if result.stability is not None:
        jaccard = [each.jaccard for each in result.stability.clusters]
        values |= {
            "ari": result.stability.ari_median,
            "unstable": sum(not each.stable for each in result.stability.clusters),
            "min_jaccard": min(jaccard, default=None),
        }
    return values


def _of_attribute(name: str, result: AuditResult) -> Mapping[str, float | None]:
    values: dict[str, float | None] = {}
    for table in (each for each in result.associations if each.attribute == name):
        same = ("v", "v_corrected", "low", "high", "p_holm", "balance")
        values |= {field: getattr(table, field) for field in same}
        values |= {"strength": table.v_corrected, "p": table.p_permutation}
        values["u"] = table.u_group_from_cluster
    for ladder in result.ladders:
        if (ladder.of, ladder.attribute) == (CLUSTER, name):
            values["rung"] = ladder.highest
    for overlap in result.latent:
        if overlap.attribute == name and overlap.homophily is not None:
            values["homophily_gain"] = overlap.homophily - (overlap.expected or 0.0)
    for about in (each for each in result.representation if each.attribute == name):
        shares = [group.share for group in about.groups if group.share is not None]
        ratios = [group.ratio for group in about.groups if group.ratio is not None]
        values |= {field: getattr(about.indices, field) for field in ("ENS", "IR", "NSD")}
        values |= {
            "min_share": min(shares, default=None),
            "max_share": max(shares, default=None),
            "min_ratio": min(ratios, default=None),
            "min_count": _least([group.count for group in about.groups]),
            "groups": about.indices.R,
            "tv": about.target.tv,
            "not_annotated": about.not_annotated,
        }
    return values


def _least(counts: Sequence[int | None]) -> int | None:
    """Return the smallest count; None when there is none, or when one of them is withheld."""
    known = [each for each in counts if each is not None]
    return min(known, default=None) if len(known) == len(counts) else None


def _refuse(text: str, at: int, why: str) -> NoReturn:
    raise ConfigError(
        f"Cannot read this rule: {why}\n    {text}\n    {' ' * at}^",
        hint="For example: 'race.v_corrected>0.2'; docs/gate.md has every field.",
    )
