"""What is kept between runs: a piece is computed again when something that it reads has changed, and only then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fer_audit.audit import analysis as analysis_module
from fer_audit.audit.analyses import ANALYSES
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.run import audit
from fer_audit.audit.types.result import AuditResult
from fer_audit.cluster.types import Alternative, Stability, Study
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Kind
from tests.audit.inputs import attribute, clustering_of, dataset_of, inputs_of, rows_of

N = 240
CONFIG = AuditConfig.of(permutations=19, bootstraps=9, replay=3, recluster=2)
RNG = np.random.default_rng(0)
RACE, GENDER, DAY = (RNG.integers(0, k, N) for k in (3, 2, 4))
CLUSTERS = np.where(RNG.random(N) < 0.7, GENDER, RNG.integers(0, 3, N)).astype(np.int32)
COORDINATES = RNG.normal(size=(N, 4)).astype(np.float32)
STYLE = RNG.normal(size=(N, 10)).astype(np.float32)
LABEL = attribute("smile", RNG.integers(0, 2, N), ("no", "yes"), "label")


class Memory:
    """A store that remembers who asked for what, and what was new."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str], Any] = {}
        self.new: dict[str, int] = {}

    def find(self, analysis: str, fingerprint: str, kind: Any) -> Any:  # noqa: ANN401 - see AnalysisCache
        return self.results[(analysis, fingerprint)]

    def keep(self, analysis: str, pieces: Mapping[str, Any], kind: Any) -> None:  # noqa: ANN401 - see AnalysisCache
        self.results |= {(analysis, name): piece for name, piece in pieces.items()}
        self.new[analysis] = len(pieces)


def inputs(
    *more: Any,  # noqa: ANN401 - attributes
    clusters: np.ndarray = CLUSTERS,
    race: np.ndarray = RACE,
    style: np.ndarray = STYLE,
    copies: bool = False,
    who: np.ndarray | None = None,
    taken: np.ndarray | None = None,
    label: bool = False,
    **settings: Any,  # noqa: ANN401 - by name
) -> AuditInputs:
    rows = rows_of(N, content=["same"] * 2 + [str(i) for i in range(2, N)] if copies else None)
    rows.style[:] = style
    half = np.arange(N) % 2 == 0
    config = CONFIG.having(**settings)
    studies = [Study(np.arange(i, N, 2), CLUSTERS[i::2]) for i in range(2)]
    dataset = dataset_of(
        attribute("race", race, "abc"),
        attribute("gender", GENDER, "mf"),
        attribute("day", DAY, "1234", "batch"),
        *more,
        *((LABEL,) if label else ()),
        *(() if who is None else (attribute("who", who, [str(i) for i in range(80)], "subject"),)),
        ages=np.arange(N) % 80,
    )
    dataset = replace(dataset, taken=taken)
    return inputs_of(
        dataset,
        rows,
        clustering=replace(clustering_of(clusters, k=3), fingerprint="x"),
        config=config,
        stability=Stability(
            seeds=(Alternative(3, 1, clusters, 1.0),),
            ks=tuple(Alternative(k, 0, clusters % k, 1.0) for k in (2, 3, 4)),
            ari=(1.0,),
            jaccard=(1.0,) * 3,
            half_a=half,
            half_b_labels=np.where(half, -1, clusters).astype(np.int32),
        ),
        coordinates=COORDINATES,
        style_labels=np.argsort(style[:, 0]) % 3,
        replays=studies[: config.statistics.replay],
        reclusters=studies[: config.statistics.recluster],
    )


@pytest.fixture(scope="module")
def kept() -> dict[tuple[str, str], Any]:
    store = Memory()
    audit(inputs(), store=store)
    return store.results


CHANGES: dict[str, dict[str, Any]] = {
    **{
        name: {name: value}
        for name, value in {
            "seed": 7,
            "alpha": 0.5,
            "confidence": 0.8,
            "permutations": 29,
            "bootstraps": 19,
            "keep_duplicates": True,
            "given": (("day", "gender"),),
            "reference": (("race", (("a", 10), ("b", 20), ("c", 30))),),
            "replay": 1,
            "recluster": 1,
        }.items()
    },
    "other clusters": {"clusters": np.roll(CLUSTERS, 7)},
    "other labels": {"race": np.roll(RACE, 7)},
    "other style": {"style": np.roll(STYLE, 7, axis=0)},
    "copies": {"copies": True},
    "people": {"who": np.arange(N) // 3},
    "time": {"taken": RNG.permutation(N)},
    "label": {"label": True},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_is_kept_never_changes_a_result(
    kept: dict[tuple[str, str], Any], change: dict[str, Any]
) -> None:
    """Whatever changes: with the pieces of another run the result is the one that a fresh run gives."""
    result, _ = audited_again(kept, inputs(**change))

    assert result == audit(inputs(**change))


PEOPLE: dict[str, Any] = {"who": np.arange(N) // 3, "taken": np.arange(N), "label": True}


@pytest.mark.parametrize(
    "change",
    [
        *({"who": np.arange(N) // 4}, {"who": np.roll(PEOPLE["who"], 1)}, {"who": None}),
        *({"taken": PEOPLE["taken"][::-1]}, {"copies": True}, {"seed": 7}),
        *({"race": np.roll(RACE, 7)}, {"style": np.roll(STYLE, 7, axis=0)}),
    ],
)
def test_nor_does_it_where_people_and_times_are_known(change: dict[str, Any]) -> None:
    store = Memory()
    before = audit(inputs(**PEOPLE), store=store)

    result, _ = audited_again(store.results, inputs(**{**PEOPLE, **change}))

    assert result == audit(inputs(**{**PEOPLE, **change}))
    assert result != before


def audited_again(
    kept: dict[tuple[str, str], Any], given: AuditInputs
) -> tuple[AuditResult, Memory]:
    store = Memory()
    store.results = dict(kept)
    return audit(given, store=store), store


def test_another_rule_computes_nothing(kept: dict[tuple[str, str], Any]) -> None:
    result, store = audited_again(kept, inputs(fail_on=("race.v>=0",)))

    assert store.new == {}
    assert result.gate[0].crossed


def test_other_code_computes_everything_that_is_kept(
    kept: dict[tuple[str, str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis_module, "source_digest", lambda *_: "of a later version")

    result, store = audited_again(kept, inputs())

    assert set(store.new) == {name for name, _ in kept}
    assert result == audit(inputs())


def test_another_label_costs_that_label_only(kept: dict[tuple[str, str], Any]) -> None:
    result, store = audited_again(kept, inputs(LABEL))

    asked = sum(
        len(each.conditionals) for each in result.ladders if "smile" in (each.of, each.attribute)
    )
    assert asked > 0
    assert store.new == {
        "representation": 1,
        "associations": 1,
        "label_associations": 2,
        "label_suspects": 1,
        "stability": 1,
        "ladders": asked,
        "style_tests": 1,
        "subset_checks": 1,
    }
    assert result == audit(inputs(LABEL))


@pytest.mark.parametrize("kind", ["demographic", "label"])
def test_another_attribute_costs_more_shuffles_of_its_kind_and_changes_no_result(
    kind: Kind,
) -> None:
    """More attributes in one family of Holm's need more shuffles: what is kept with fewer is another answer."""
    store, more = Memory(), attribute("mood", np.arange(N) % 2, "ab", kind)
    audit(inputs(LABEL), store=store)

    result, _ = audited_again(store.results, inputs(LABEL, more))

    assert result == audit(inputs(LABEL, more))


def test_another_alpha_computes_only_what_counts_by_it(kept: dict[tuple[str, str], Any]) -> None:
    _, store = audited_again(kept, inputs(alpha=0.5))

    assert store.new == {"replay": 1}


def test_every_p_value_of_a_result_is_in_the_ledger() -> None:
    result = audit(inputs(copies=True))

    counts: dict[str, int] = {}
    for entry in result.ledger:
        kind = entry.family.split(" of ")[0].split(",")[0]
        counts[kind] = counts.get(kind, 0) + entry.tests
    tables = result.associations
    asked = [each for ladder in result.ladders for each in ladder.conditionals]
    assert counts["association"] == 2 * len(tables)  # by permutation and asymptotic
    assert counts["cells"] == sum(
        cell.p_adjusted is not None for each in tables for cell in each.cells
    )
    assert sum(n for kind, n in counts.items() if kind.startswith("rung")) == sum(
        2 * (each.p is not None) for each in asked
    ), "conditional information, and Cochran-Mantel-Haenszel"
    assert counts["style"] == sum(each.p is not None for each in result.style_tests)
    assert counts["pairs"] == sum(len(each.pairs) for each in result.latent)
    assert counts["goodness"] + counts["age heaping"] == 3
    assert result.replay is not None
    assert counts["small studies"] == sum(each.studies for each in result.replay.attributes)


def test_every_analysis_says_what_it_reads() -> None:
    """A need or a setting that does not exist would be an error only in a run that keeps its parts."""
    given = inputs()
    names = given.config.flat()

    for analysis in ANALYSES:
        assert set(analysis.settings) <= set(names), analysis.name
        for need in analysis.needs or ():
            assert len(given.digest(need)) == 64
