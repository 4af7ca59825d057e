"""The whole audit: what is known of every image in, one `AuditResult` out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_audit.audit.analyses import ANALYSES
from fer_audit.audit.analysis import AnalysisCache, NoCache
from fer_audit.audit.claims.associations import labels_not_asked
from fer_audit.audit.claims.confounders import refuse_unknown_columns
from fer_audit.audit.composition.dataset_facts import dataset_facts
from fer_audit.audit.findings import collect_ledger, find
from fer_audit.audit.gate import check_rules, refuse_unknown_subjects
from fer_audit.audit.inputs import AuditInputs, compared
from fer_audit.audit.types.result import AUDIT_SCHEMA, AuditResult
from fer_audit.progress import Progress, Silent

STAGE = "audit"


def audit(
    inputs: AuditInputs, *, store: AnalysisCache | None = None, progress: Progress | None = None
) -> AuditResult:
    """Return everything there is to say about a dataset and, if there are any, its clusters.

    The result is incomplete without clusters, unless `inputs.not_clustered` says why, and when a folder of the set
    could not be read. The same inputs give the same result, to the last digit, whatever the store already holds.
    Raises ConfigError where --given names a column, or a rule an attribute, that the set does not have.
    """
    dataset, config = inputs.dataset, inputs.config
    refuse_unknown_columns(dataset, config.statistics)
    refuse_unknown_subjects(
        config.fail_on,
        [each.name for each in compared(dataset)],
        [each.name for each in inputs.predicted],
    )
    progress, store = progress or Silent(), store or NoCache()
    progress.start(STAGE, len(ANALYSES), "analyses")
    parts: dict[str, Any] = {}
    for analysis in ANALYSES:
        parts[analysis.name] = analysis.audit(inputs, parts, store)
        progress.advance(STAGE)
    images = config.dataset.images_dir
    embeddings, why_not = inputs.embeddings, inputs.not_clustered
    result = AuditResult.of(
        schema=AUDIT_SCHEMA,
        complete=dataset.whole
        and embeddings is not None
        and (inputs.clustering is not None or bool(why_not)),
        dataset=dataset_facts(dataset, inputs.rows, embeddings, usable=inputs.usable),
        model=None if embeddings is None else embeddings.model,
        # a model's file and the images' folder by their names: where they lie is the user's own business
        config=config.having(
            model=Path(config.model.model).name, images_dir=images and (Path(images).name or ".")
        ),
        versions=inputs.versions,
        not_computable=(("clustering", why_not),) if why_not else (),
        not_asked=labels_not_asked(inputs),
        **parts,
    )
    result = result.having(ledger=collect_ledger(result), planted=inputs.planted(result))
    progress.finish(STAGE)
    return judge(result, config.fail_on)


def judge(result: AuditResult, rules: Sequence[str]) -> AuditResult:
    """Return a result with these --fail-on rules checked, and its findings."""
    result = result.having(
        config=result.config.having(fail_on=tuple(rules)), gate=check_rules(rules, result)
    )
    return result.having(findings=find(result))
