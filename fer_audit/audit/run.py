"""The whole audit: rows, labels and clusters in, one `AuditResult` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.claims.association import associate, correct_for_attributes
from fer_audit.audit.claims.batch_leakage import predict_from_batch
from fer_audit.audit.claims.confounders import batch_columns, refuse_unknown_columns
from fer_audit.audit.claims.published import published_values
from fer_audit.audit.claims.replay import recluster, replay
from fer_audit.audit.claims.run import ask_everything, full_ladder, what_can_be_given
from fer_audit.audit.claims.stability import stability_facts
from fer_audit.audit.composition.dataset_facts import cluster_facts, dataset_facts, usable_rows
from fer_audit.audit.composition.duplicates import find_duplicates, first_copies
from fer_audit.audit.composition.intersections import intersect
from fer_audit.audit.composition.representation import age_heaping, represent
from fer_audit.audit.composition.subset import check_subsets
from fer_audit.audit.findings import find
from fer_audit.audit.gate import check_rules, refuse_unknown_subjects
from fer_audit.audit.ledger import collect_ledger
from fer_audit.audit.space.axes import principal_axes
from fer_audit.audit.space.cluster_style import cluster_styles
from fer_audit.audit.space.overlap import latent_overlaps
from fer_audit.audit.space.style import style_baselines, style_tests
from fer_audit.audit.stats.tables import cross_table
from fer_audit.audit.types.claims import Association, BatchPrediction
from fer_audit.audit.types.composition import Representation
from fer_audit.audit.types.result import AUDIT_SCHEMA, AuditResult, PlantedCheck
from fer_audit.cluster.types import Clustering, Stability, Study
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.embed.types import Embeddings
from fer_audit.pack.types import PackRows
from fer_audit.progress import Progress, Silent
from fer_audit.rng import stage_rng

STAGE = "audit"
DRAWN_CELLS = 10_000_000
"""Table cells drawn for an attribute that is not demographic: two seconds at most. Hundreds of batches get
fewer permutations than were asked for, and `Association.permutations` says how many."""
LEAST_DRAWS = 199


@dataclass(frozen=True, slots=True)
class _Masks:
    """Which rows count where; all (n,) bool."""

    usable: NDArray[np.bool_]
    """Decoded, embedded and in a cluster, as far as the run went."""
    tested: NDArray[np.bool_]
    """Usable, one copy of each image."""
    listed_once: NDArray[np.bool_]
    """Every row but later copies; what needs no pixels is tested on these."""


def audit_dataset(
    dataset: FaceDataset,
    rows: PackRows,
    embeddings: Embeddings | None = None,
    clustering: Clustering | None = None,
    *,
    config: AuditConfig,
    versions: tuple[tuple[str, str], ...] = (),
    planted: tuple[PlantedCheck, ...] = (),
    not_clustered: str = "",
    progress: Progress | None = None,
    stability: Stability | None = None,
    style_labels: NDArray[np.int32] | None = None,
    coordinates: NDArray[np.floating] | None = None,
    replays: tuple[Study, ...] = (),
    reclusters: tuple[Study, ...] = (),
) -> AuditResult:
    """Return everything there is to say about a dataset and, if there are any, its clusters.

    Row i of every array is image i. The result is incomplete without clusters, unless `not_clustered` says why,
    and when a folder of the set could not be read.
    The same inputs and config give the same result, to the last digit.

    `stability` = other partitions of the same vectors; rungs 7 and 8 need it.
    `style_labels` = (n,) clusters made from style measures alone, -1 where not ok.
    `coordinates` = (n, m) reduced vectors, for how groups overlap in the latent space.
    `replays` = small random samples clustered anew, `reclusters` = bootstrap resamples likewise.
    Raises ConfigError where config.statistics.given names a column the set does not have.
    """
    refuse_unknown_columns(dataset, config)
    refuse_unknown_subjects(config.fail_on, [each.name for each in dataset.attributes])
    progress = progress or Silent()
    progress.start(STAGE, 2 * len(dataset.attributes) + 3, "tables")
    masks = _masks(dataset, rows, embeddings, clustering, config)
    batches = batch_columns(dataset, rows)
    representation = []
    for attribute in dataset.attributes:
        representation.append(_represent(attribute, masks, config))
        progress.advance(STAGE)
    associations = []
    for attribute in dataset.attributes:
        if clustering is not None:
            associations.append(_associate(attribute, clustering, masks, config))
        progress.advance(STAGE)
    corrected = correct_for_attributes(associations)
    facts = None
    if stability is not None:
        facts = stability_facts(
            stability, _demographic(dataset), tested=masks.tested, config=config
        )
    progress.advance(STAGE)
    conditionals = {}
    if clustering is not None:
        given = what_can_be_given(rows, batches, masks.tested)
        conditionals = ask_everything(
            dataset, clustering, given, tested=masks.tested, config=config
        )
    progress.advance(STAGE)
    result = AuditResult.of(
        schema=AUDIT_SCHEMA,
        complete=dataset.whole
        and embeddings is not None
        and (clustering is not None or bool(not_clustered)),
        dataset=dataset_facts(dataset, rows, embeddings, usable=masks.usable),
        model=None if embeddings is None else embeddings.model,
        representation=tuple(representation),
        age_heaping=None if dataset.ages is None else age_heaping(dataset.ages),
        intersections=intersect(_demographic(dataset)),
        duplicates=find_duplicates(
            dataset, rows.sha256, rows.ok, left_out=int((masks.usable & ~masks.tested).sum())
        ),
        subset_checks=check_subsets(
            dataset, masks.listed_once, reference=_reference(config), config=config
        ),
        clustering=None if clustering is None else cluster_facts(clustering),
        associations=corrected,
        ladders=tuple(
            full_ladder(each, conditionals[each.attribute], facts, alpha=config.statistics.alpha)
            for each in corrected
            if each.kind == "demographic"
        ),
        ledger=(),
        findings=(),
        planted=planted,
        config=_without_folder(config),
        versions=versions,
        not_computable=(("clustering", not_clustered),) if not_clustered else (),
        batch_predictions=_batch_predictions(dataset, batches, masks, config),
        stability=facts,
        style_tests=style_tests(rows, dataset.attributes, tested=masks.tested, config=config),
        style_baselines=()
        if style_labels is None
        else style_baselines(
            style_labels, _demographic(dataset), corrected, tested=masks.tested, config=config
        ),
        latent=()
        if coordinates is None
        else latent_overlaps(
            coordinates, _demographic(dataset), rows.sha256, usable=masks.usable, config=config
        ),
        replay=replay(
            replays,
            _demographic(dataset),
            corrected,
            reference=_reference(config),
            config=config,
        ),
        recluster=recluster(
            reclusters,
            _demographic(dataset),
            tested=masks.tested,
            confidence=config.statistics.confidence,
        ),
        cluster_styles=()
        if clustering is None
        else cluster_styles(
            rows.style, clustering, tested=masks.tested, confidence=config.statistics.confidence
        ),
        principal_axes=None
        if clustering is None or coordinates is None
        else principal_axes(coordinates, clustering),
        published=published_values(dataset),
    )
    result = result.having(ledger=collect_ledger(result))
    result = result.having(gate=check_rules(config.fail_on, result))
    result = result.having(findings=find(result, alpha=config.statistics.alpha))
    progress.advance(STAGE)
    progress.finish(STAGE)
    return result


def _masks(
    dataset: FaceDataset,
    rows: PackRows,
    embeddings: Embeddings | None,
    clustering: Clustering | None,
    config: AuditConfig,
) -> _Masks:
    usable = usable_rows(rows, embeddings, clustering)
    every = np.ones(len(dataset), dtype=np.bool_)
    if config.statistics.keep_duplicates:
        return _Masks(usable=usable, tested=usable, listed_once=every)
    return _Masks(
        usable=usable,
        tested=first_copies(rows.sha256, usable),
        listed_once=first_copies(rows.sha256, every),
    )


def _represent(attribute: Attribute, masks: _Masks, config: AuditConfig) -> Representation:
    return represent(
        attribute,
        tested=masks.listed_once,
        reference=_reference(config).get(attribute.name),
        draws=config.statistics.permutations,
        confidence=config.statistics.confidence,
        rng=stage_rng(config.seed, STAGE, "target", attribute.name),
    )


def _associate(
    attribute: Attribute, clustering: Clustering, masks: _Masks, config: AuditConfig
) -> Association:
    table = cross_table(
        clustering.labels[masks.tested],
        attribute.codes[masks.tested],
        n_rows=clustering.k,
        n_cols=len(attribute.categories),
    )
    return associate(
        table,
        attribute=attribute.name,
        kind=attribute.kind,
        groups=attribute.categories,
        rng=stage_rng(config.seed, STAGE, "association", attribute.name),
        permutations=affordable_draws(attribute.kind, table.size, config.statistics.permutations),
        bootstraps=config.statistics.bootstraps,
        confidence=config.statistics.confidence,
    )


def affordable_draws(kind: str, cells: int, wanted: int) -> int:
    """Return how many permutations a table of so many cells gets: all of them if it is demographic."""
    if kind == "demographic":
        return wanted
    return min(wanted, max(LEAST_DRAWS, DRAWN_CELLS // max(cells, 1)))


def _batch_predictions(
    dataset: FaceDataset, batches: Sequence[Attribute], masks: _Masks, config: AuditConfig
) -> tuple[BatchPrediction, ...]:
    return tuple(
        predict_from_batch(
            batch,
            attribute,
            tested=masks.listed_once,
            draws=config.statistics.permutations,
            rng=stage_rng(config.seed, STAGE, "batch", batch.name, attribute.name),
        )
        for batch in batches
        for attribute in _demographic(dataset)
    )


def _reference(config: AuditConfig) -> Mapping[str, Mapping[str, int]]:
    return {name: dict(counts) for name, counts in config.statistics.reference}


def _demographic(dataset: FaceDataset) -> list[Attribute]:
    return [attribute for attribute in dataset.attributes if attribute.kind == "demographic"]


def _without_folder(config: AuditConfig) -> AuditConfig:
    """Return the settings with only the name of a model's file."""
    return config.having(model=Path(config.model.model).name)
