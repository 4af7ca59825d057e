"""Several runs of one set that differ in the encoder: which claims hold under every one of them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fer_audit.audit.types.claim import CLUSTER, Claim
from fer_audit.audit.types.encoders import (
    ENCODERS_SCHEMA,
    FLOOR,
    ClaimUnderEncoder,
    ClaimUnderEncoders,
    EncoderComparison,
)
from fer_audit.audit.types.result import AuditResult

_NOT_ABOVE_CHANCE = ("at chance", "not computable")


def compare_encoders(results: Mapping[str, AuditResult]) -> EncoderComparison:
    """Return the claims about clusters under each encoder; results by the folder of their run.

    Claims of labels and attributes are left out: no encoder changes them.
    """
    models = [_model(result, folder) for folder, result in results.items()]
    claims = [
        {x.attribute: x for x in result.claims if x.of == CLUSTER} for result in results.values()
    ]
    attributes = dict.fromkeys(name for found in claims for name in found)
    return EncoderComparison(
        schema=ENCODERS_SCHEMA,
        dataset=next(iter(results.values())).dataset.name,
        models=tuple(models),
        runs=tuple(results),
        claims=tuple(
            _across(
                name,
                [
                    _under(model, found[name])
                    for model, found in zip(models, claims, strict=True)
                    if name in found
                ],
            )
            for name in attributes
        ),
        complete=all(result.complete for result in results.values()),
    )


def _model(result: AuditResult, folder: str) -> str:
    return folder if result.model is None else result.model.name


def _under(model: str, claim: Claim) -> ClaimUnderEncoder:
    left = next((each for each in claim.left if each.headline), None)
    grade = left.grade if left is not None else ""
    return ClaimUnderEncoder(
        model=model,
        v_corrected=claim.v_corrected,
        low=claim.low,
        high=claim.high,
        strength=claim.strength,
        level=left.level if left is not None else "",
        grade=grade,
        comes_back=claim.comes_back,
        holds=claim.strength not in _NOT_ABOVE_CHANCE
        and grade != "trace"
        and claim.comes_back != "no",
    )


def _across(attribute: str, under: Sequence[ClaimUnderEncoder]) -> ClaimUnderEncoders:
    encoders = [each for each in under if not each.model.endswith(FLOOR)]
    random = [each for each in under if each.model.endswith(FLOOR)]
    floors = [each.v_corrected for each in random if each.v_corrected is not None]
    highs = [each.high for each in random if each.high is not None]
    lows = [each.low for each in encoders if each.low is not None]
    return ClaimUnderEncoders(
        attribute=attribute,
        under=tuple(under),
        holds_under=sum(each.holds for each in encoders),
        encoders=len(encoders),
        floor=max(floors, default=None),
        above_floor=min(lows) > max(highs) if lows and highs else None,
    )
