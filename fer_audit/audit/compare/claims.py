"""What runs claim: the same claim in two runs, what FER models do in both, and which claims hold under every encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from fer_audit.audit.claims.conditional_tests import strength
from fer_audit.audit.types.claim import CLUSTER, GRADES, SAYS, Claim
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.compare import (
    ENCODERS_SCHEMA,
    FLOOR,
    ClaimComparison,
    ClaimInRun,
    ClaimUnderEncoders,
    EncoderComparison,
    MeasureChange,
    ModelComparison,
)
from fer_audit.audit.types.models import ModelAudit
from fer_audit.audit.types.result import AuditResult

Key = tuple[str, str]
"""(what with, attribute)."""
_MEASURES: dict[str, Literal["worst recall", "recall gap", "Xu's F"]] = {
    "worst_recall": "worst recall",
    "recall_gap": "recall gap",
    "xu_f": "Xu's F",
}


def overlap(*spans: Sequence[float | None]) -> bool | None:
    """Return whether intervals (low, high) have a point in common; None when one of them has no ends."""
    lows, highs = zip(*(span or (None, None) for span in spans), strict=True)
    if None in (*lows, *highs):
        return None
    return bool(max(lows) <= min(highs))


def compare_claims(first: AuditResult, second: AuditResult) -> tuple[ClaimComparison, ...]:
    """Return every claim that a run makes about attributes of both."""
    runs = (first, second)
    names = [{CLUSTER, *_models(run), *(x.attribute for x in run.representation)} for run in runs]
    both = names[0] & names[1]
    sources = [_sources(run) for run in runs]
    found = []
    for key, source in {**sources[1], **sources[0]}.items():
        if both.issuperset(key):
            one, two = (claim_in(of[key]) if key in of else None for of in sources)
            spans = [(x.low, x.high) if x else () for x in (one, two)]
            found.append(ClaimComparison(*key, source.kind, one, two, overlap(*spans)))
    return tuple(found)


def _sources(result: AuditResult) -> dict[Key, Claim | Association]:
    """Return what says how strong each association is: a claim, or the table alone where none is made, as of batches."""
    tables = (result.associations, result.label_associations, result.prediction_associations)
    found: dict[Key, Claim | Association] = {(x.of, x.attribute): x for of in tables for x in of}
    return found | {(x.of, x.attribute): x for x in result.claims}


def claim_in(source: Claim | Association) -> ClaimInRun:
    """Return a claim as comparisons state it."""
    v, common = source.v_corrected, (source.v_corrected, source.low, source.high)
    if isinstance(source, Association):
        chance = source.v_corrected_null_95
        beyond = v is not None and v > (chance or 0.0) and bool(source.low)
        word = "not computable" if v is None else strength(v) if beyond else "at chance"
        return ClaimInRun(source.n, word, *common, chance, None, "not asked", beyond)
    headlines = [each for each in source.left if each.headline]
    least = min(
        headlines,
        key=lambda x: (not x.inseparable, GRADES.index(x.grade), x.kept or 0.0),
        default=None,
    )
    traces = any(each.grade == "trace" for each in headlines)
    holds = source.strength in SAYS and not traces and source.comes_back != "no"
    return ClaimInRun(
        source.n, source.strength, *common, source.chance, least, source.comes_back, holds
    )


def _models(result: AuditResult) -> dict[str, ModelAudit]:
    return {} if result.models is None else {x.model: x for x in result.models.models}


def compare_models(first: AuditResult, second: AuditResult) -> tuple[ModelComparison, ...]:
    """Return each FER model in both runs; where each run has one model that the other has not, these two are compared."""
    one, two = _models(first), _models(second)
    pairs = [(model, two.get(name)) for name, model in one.items()]
    alone = [model for name, model in two.items() if name not in one]
    if len(alone) == 1 and [other for _, other in pairs].count(None) == 1:
        pairs = [(model, other or alone[0]) for model, other in pairs]
        alone = []
    return tuple(_both(*pair) for pair in (*pairs, *((None, model) for model in alone)))


def _both(one: ModelAudit | None, two: ModelAudit | None) -> ModelComparison:
    found: list[MeasureChange] = []
    if one is not None and two is not None and one.truth and two.truth:
        values = [(x.accuracy, x.low, x.high) for x in (one, two)]
        told = [tuple(end for end in x if end is not None) for x in values]
        found.append(MeasureChange("", "accuracy", *told))
        same = ((a, b) for a in one.by for b in two.by if a.attribute == b.attribute)
        asked = [("", one.overall, two.overall)]
        asked += [(a.attribute, a, b) for a, b in same if a.demographic]
        for where, a, b in asked:
            for field, name in _MEASURES.items():
                first, second = getattr(a, field), getattr(b, field)
                if first is not None and second is not None:
                    found.append(MeasureChange(where, name, (first,), (second,)))
    names = [None if model is None else model.model for model in (one, two)]
    labelled = [0 if model is None else model.labelled for model in (one, two)]
    return ModelComparison(names[0], names[1], labelled[0], labelled[1], tuple(found))


def compare_encoders(results: Mapping[str, AuditResult]) -> EncoderComparison:
    """Return the claims about clusters under each encoder; results by the folder of their run.

    Claims of labels and attributes are left out: no encoder changes them.
    """
    models = [
        folder if result.model is None else result.model.name for folder, result in results.items()
    ]
    claims = [
        {x.attribute: claim_in(x) for x in result.claims if x.of == CLUSTER}
        for result in results.values()
    ]
    names = dict.fromkeys(name for found in claims for name in found)
    return EncoderComparison(
        schema=ENCODERS_SCHEMA,
        dataset=next(iter(results.values())).dataset.name,
        models=tuple(models),
        runs=tuple(results),
        claims=tuple(_across(name, models, [of.get(name) for of in claims]) for name in names),
        complete=all(result.complete for result in results.values()),
    )


def _across(
    attribute: str, models: Sequence[str], under: Sequence[ClaimInRun | None]
) -> ClaimUnderEncoders:
    made = [(model, x) for model, x in zip(models, under, strict=True) if x is not None]
    encoders = [x for model, x in made if not model.endswith(FLOOR)]
    random = [x for model, x in made if model.endswith(FLOOR)]
    highs = [x.high for x in random if x.high is not None]
    lows = [x.low for x in encoders if x.low is not None]
    return ClaimUnderEncoders(
        attribute=attribute,
        under=tuple(under),
        holds_under=sum(x.holds for x in encoders),
        encoders=len(encoders),
        floor=max((x.v_corrected for x in random if x.v_corrected is not None), default=None),
        above_floor=min(lows) > max(highs) if lows and highs else None,
    )
