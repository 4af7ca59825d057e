"""The upper half of a result built by hand: what is left of a claim, stability, style, latent space, replays, a gate.

Plausible numbers; nothing here is an oracle for statistics.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from statistics import NormalDist

from fer_audit.audit.types import space
from fer_audit.audit.types.claims import Conditional, Ladder, LaggedControl
from fer_audit.audit.types.result import AuditResult, GateRule
from fer_audit.audit.types.stability import (
    AttributeStability,
    ClusterStability,
    GroupSpread,
    Recluster,
    Replay,
    ReplayAttribute,
    StabilityFacts,
    VariantV,
)
from fer_audit.pack.types import STYLE_NAMES


def conditional(
    attribute: str, rung: int | None, given: tuple[str, ...], kept: float, **changes: object
) -> Conditional:
    """Return a question with an answer, its interval as wide as is usual on 23,000 images."""
    holds = kept > 0.05
    detail = rung == 5 and len(given) == 1
    free = 0.973
    found = Conditional(
        of="cluster", attribute=attribute, rung=rung, given=given, headline=rung is not None and not detail, detail=detail,
        n=23_314, strata=27, informative=26, n_effective=23_298, entropy_left=free, marginal=0.0412, mi_debiased=0.0412 * kept,
        kept=kept, low=kept - 0.047, high=kept + 0.052,
        per_entropy=kept / free, per_low=kept / free - 0.048, per_high=kept / free + 0.053,
        p_mi=None if detail else 0.0001 if holds else 0.31, p_cmh=None if detail else 0.0002 if holds else 0.44,
        p=None if detail else 0.0002 if holds else 0.62, permutations=0 if detail else 10_000,
        grade="most" if kept > 0.75 else "part" if holds else "trace",
        reading=f"given {' x '.join(given)} {100 * kept:.1f} % of the association is left",
        null_low=None if detail else -0.041, null_high=None if detail else 0.046,
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]  # fields by name


def silent(attribute: str, rung: int | None, given: tuple[str, ...], reason: str) -> Conditional:
    """Return a question that no stratum can answer."""
    names = (
        *("entropy_left", "marginal", "mi_debiased", "kept", "low", "high", "per_entropy"),
        *("per_low", "per_high", "null_low", "null_high", "p_mi", "p_cmh", "p"),
    )
    nothing: dict[str, object] = dict.fromkeys(names)
    counts = {"n": 40, "strata": 17, "informative": 0, "n_effective": 0, "permutations": 0}
    return replace(
        conditional(attribute, rung, given, 0.0),
        **{**nothing, **counts},  # type: ignore[arg-type]  # fields by name
        headline=False,
        grade="cannot tell",
        reading=f"not computable: {reason}",
        not_computable=tuple((name, reason) for name in names),
    )


def questions(attribute: str, others: tuple[str, ...], *, crawl: float) -> tuple[Conditional, ...]:
    """Return what a run asks one attribute: the others, style together and one by one, the crawl, --given."""
    style = (0.971, 0.992, 0.953, 0.984, 0.902, 1.013, 1.002, 0.997, 0.999, 0.948)
    return (
        conditional(attribute, 4, others, 0.841, strata=18, informative=18),
        conditional(attribute, 5, ("luma_mean", "saturation", "sharpness"), 0.873),
        *(conditional(attribute, 5, (name,), kept) for name, kept in zip(STYLE_NAMES, style, strict=True)),
        conditional(attribute, 6, ("crawl hour",), crawl, strata=213, informative=97, n_effective=22_871, entropy_left=0.318,
            per_entropy=crawl / 0.318, per_low=crawl / 0.318 - 0.15, per_high=crawl / 0.318 + 0.16,
            other_low=crawl - 0.21, other_high=crawl + 0.21, per_other_low=crawl / 0.318 - 0.6, per_other_high=crawl / 0.318 + 0.6,
            controls=(LaggedControl(1, 23_101, 0.186), LaggedControl(5, 22_240, 0.12), LaggedControl(50, 0, None))),
        silent(attribute, 6, (*others, "crawl hour"), "no stratum holds two clusters and two groups"),
        conditional(attribute, None, ("grey", "image_size"), 0.995),
    )  # fmt: skip


def asked(ladder: Ladder, others: tuple[str, ...], crawl: float) -> Ladder:
    """Return a ladder with its questions, and what they take away."""
    found = questions(ladder.attribute, others, crawl=crawl)
    lost = tuple(
        (" x ".join(each.given), 1 - each.kept) for each in found if each.kept is not None
    )
    failed = next((rung for rung in ladder.rungs if not rung.holds and not rung.skipped), None)
    stopped = "" if failed is None else f"rung {failed.number}: {failed.reading}"
    return replace(ladder, conditionals=found, lost=lost, stopped=stopped)


def stability(attributes: tuple[str, ...] = ("race", "gender", "age")) -> StabilityFacts:
    """Return four clusters of which one is loose, nine seeds, k = 1..10, and a half."""
    strengths = (0.213, 0.31, 0.25)
    similar = (0.964, 0.871, 0.412, 0.733)
    return StabilityFacts(
        seeds=9, ari_median=0.981, ari_min=0.412, ari_max=0.9996,
        clusters=tuple(ClusterStability(at, each, stable=each > 0.6) for at, each in enumerate(similar)),
        attributes=tuple(
            AttributeStability(
                attribute=name,
                seeds=tuple(VariantV(4, seed, v + 0.001 * seed, 0.0148) for seed in range(1, 10)),
                ks=tuple(
                    VariantV(k, 0, 0.0 if k == 2 and name == "race" else v * (0.6 + 0.1 * k), 0.01 + 0.0015 * k)
                    for k in range(2, 11)
                ),
                half_n=11_657, half_v=v - 0.004, half_low=v - 0.021, half_high=v + 0.013, half_p=0.0001, half_p_holm=0.0003,
                half_permutations=10_000, half_null_95=0.0162,
            )
            for name, v in zip(attributes, strengths, strict=False)
        ),
    )  # fmt: skip


def style_tests(attributes: dict[str, tuple[str, ...]]) -> tuple[space.StyleTest, ...]:
    """Return every measure against every attribute; the last measure is the same in all images."""
    found = []
    for place, (name, groups) in enumerate(attributes.items()):
        for index, measure in enumerate(STYLE_NAMES):
            effect = round(0.083 / (1 + index) / (1 + place), 4)
            found.append(
                space.StyleTest(
                    measure, name, 23_314, effect * 1.1, effect, 0.001, 0.3 if effect < 0.004 else 0.0014, 999,
                    groups[0], 96.25 * (1 + index), groups[-1], 131.5 * (1 + index),
                )
            )  # fmt: skip
    reason = "the measure is the same in all images"
    found[-1] = space.StyleTest(
        STYLE_NAMES[-1], found[-1].attribute, 23_314, None, None, None, None, 0, None, None, None, None,
        tuple((name, reason) for name in ("eta_squared", "rank_effect", "p")),
    )  # fmt: skip
    return tuple(found)


def overlap(attribute: str, names: tuple[str, ...]) -> space.LatentOverlap:
    """Return groups of which the last is too small, and the pairs of the others."""
    n = 3_000 // len(names)
    reason = "12 images in the subsample are too few"
    missing = tuple((field, reason) for field in ("homophily", "expected", "dispersion"))
    groups = [
        space.GroupOverlap(name, n, 0.36 + 0.04 * i, (n - 1) / 2_999, 38.25 + i)
        for i, name in enumerate(names)
    ]
    if len(names) > 2:
        groups[-1] = space.GroupOverlap(names[-1], 12, None, None, None, missing)
        names = names[:-1]
    return space.LatentOverlap(
        attribute=attribute, n=3_000, drawn_from=23_317, dimensions=128, neighbours=10, homophily=0.452, expected=0.2713, p=0.001,
        permutations=999, groups=tuple(groups),
        pairs=tuple(
            space.PairOverlap(a, b, n, n, 0.53 + 0.06 * (i % 8), 0.52 + 0.05 * (i % 8), 0.541, 0.005, 0.06 if i == 0 else 0.005, 199, 11.5 + i, 0.31 + 0.05 * (i % 9), low=0.51 + 0.06 * (i % 8), high=0.55 + 0.06 * (i % 8))
            for i, (a, b) in enumerate(combinations(names, 2))
        ),
    )  # fmt: skip


def replay(attributes: dict[str, tuple[str, ...]]) -> Replay:
    """Return 200 studies of 500 images; the second attribute cannot be computed in any."""
    found = []
    for name, groups in attributes.items():
        share = 1 / len(groups)
        found.append(
            ReplayAttribute(
                name, 200, 0.251, 0.172, 0.334, 0.184, 0.081, 0.292, 0.2127,
                tuple(GroupSpread(g, share, share - 0.031, share + 0.001, share + 0.036) for g in groups),
                0.005, 0.345, 0.915, full_called_different=True,
                v_studies=around(0.251, 0.0413),
                v_corrected_studies=around(0.184, 0.0538),
            )
        )  # fmt: skip
    reason = "no study has two clusters and two groups"
    found[1] = ReplayAttribute(
        found[1].attribute, 0, None, None, None, None, None, None, None, (), None, None, None, None,
        (("v", reason), ("v_corrected", reason)),
    )  # fmt: skip
    return Replay(200, 500, tuple(found))


def around(mean: float, sd: float) -> tuple[float, ...]:
    """Return 200 values that lie as evenly as a normal law has them, in no order."""
    law = NormalDist(mean, sd)
    return tuple(round(law.inv_cdf((77 * i % 200 + 0.5) / 200), 6) for i in range(200))


def cluster_styles() -> tuple[space.ClusterStyle, ...]:
    """Return four clusters by every measure, their differences summing to 0; the last measure never varies."""
    sizes = (7_282, 6_404, 5_105, 4_526)
    found = []
    for index, measure in enumerate(STYLE_NAMES):
        set_mean, sd = 96.25 * (1 + index), 31.5
        shown = [0.41 / (1 + index), -0.18, 0.004 * index]
        shown.append(-sum(n * each for n, each in zip(sizes[:3], shown, strict=True)) / sizes[3])
        for cluster, (n, each) in enumerate(zip(sizes, shown, strict=True)):
            reach = 1.96 * ((1 - n / sum(sizes)) / n) ** 0.5
            found.append(
                space.ClusterStyle(cluster, measure, n, set_mean + each * sd, set_mean, each, each - reach, each + reach)
            )  # fmt: skip
    reason = "the measure is the same in all images"
    missing = tuple((name, reason) for name in ("difference", "low", "high"))
    found[-4:] = [
        space.ClusterStyle(cluster, STYLE_NAMES[-1], n, 0.5, 0.5, None, None, None, missing)
        for cluster, n in enumerate(sizes)
    ]
    return tuple(sorted(found, key=lambda each: each.cluster))


def principal_axes() -> space.PrincipalAxes:
    """Return shares of the variance as ResNet50's vectors of faces have them, about."""
    shares = (0.118, 0.094, 0.061, 0.045, 0.037, 0.031, 0.026, 0.022, 0.0195, 0.017)
    return space.PrincipalAxes(128, shares, 0.863)


def with_upper_half(base: AuditResult, people: dict[str, tuple[str, ...]]) -> AuditResult:
    """Return a result with every record of the upper half, about these attributes and groups."""
    others = {name: tuple(other for other in people if other != name) for name in people}
    crawl = dict(zip(people, (0.021, 0.883, 0.412), strict=False))
    ladders = tuple(
        asked(ladder, others[ladder.attribute], crawl[ladder.attribute])
        if ladder.attribute in people
        else ladder
        for ladder in base.ladders
    )
    names = tuple(people)
    baselines = tuple(
        space.StyleBaseline(
            name, 23_314, 4, 0.0812, 0.0711, 0.0927, 0.0001, 10_000, 0.2127, 0.3818
        )
        for name in names
    )
    gone = ("v_corrected", "low", "high", "reproduced")
    baselines = (
        *baselines[:-1],
        space.StyleBaseline(names[-1], 0, 4, None, None, None, None, 0, 0.25, None, tuple((x, "one style cluster") for x in gone)),
    )  # fmt: skip
    return base.having(
        ladders=ladders,
        stability=stability(names),
        style_tests=style_tests(people),
        style_baselines=baselines,
        latent=tuple(overlap(name, groups) for name, groups in people.items()),
        replay=replay(people),
        recluster=tuple(Recluster(name, 50, 0.2093, 0.1614, 0.2467) for name in names),
        gate=gate(),
        cluster_styles=cluster_styles(),
        principal_axes=principal_axes(),
    )


def gate() -> tuple[GateRule, ...]:
    """Return a rule of each kind: crossed, kept, without a value."""
    return (
        GateRule("race.v_corrected>0.2", 0.2127, crossed=True, reason="race.v_corrected is 0.2127: the rule is crossed"),
        GateRule("dataset.failed>5", 1.0, crossed=False, reason="dataset.failed is 1: the rule holds off"),
        GateRule("age.balance<0.1", None, crossed=False, reason="age.balance has no value in this run, so the rule is not crossed"),
    )  # fmt: skip


def without_values(base: AuditResult) -> AuditResult:
    """Return the upper half of a result in which nothing could be computed."""
    why = "one cluster"
    ladders = tuple(
        replace(
            each,
            conditionals=(silent(each.attribute, 4, ("gender",), why), silent(each.attribute, None, ("gender", "age"), why)),
            stopped="rung 1: one cluster",
        )
        for each in base.ladders
    )  # fmt: skip
    return base.having(        ladders=ladders,
        stability=StabilityFacts(
            0, None, None, None, (),
            (AttributeStability("race", (), (), 0, None, None, None, None, None, 0, (("half_v", why),)),),
            (("ari_median", "no other seed"),),
        ),
        style_tests=(space.StyleTest("luma_mean", "race", 0, None, None, None, None, 0, None, None, None, None, (("p", "no image has this label"),)),),
        style_baselines=(space.StyleBaseline("race", 0, 1, None, None, None, None, 0, None, None, (("v_corrected", why),)),),
        latent=(space.LatentOverlap("race", 0, 0, 0, 10, None, None, None, 0, (), (), (("homophily", "0 images in the subsample are too few"),)),),
        replay=Replay(3, 1, (ReplayAttribute("race", 0, *(None,) * 7, (), None, None, None, None, (("v", why),)),)),
        recluster=(Recluster("race", 0, None, None, None, (("v_corrected", why),)),),
        cluster_styles=(
            space.ClusterStyle(0, "luma_mean", 0, None, None, None, None, None, (("mean", "no image of this cluster is tested"),)),
        ),
        principal_axes=space.PrincipalAxes(0, (), None, (("shares", why), ("total", why))),
        gate=(GateRule("race.v>0.1", None, crossed=False, reason="race.v has no value in this run, so the rule is not crossed"),),
    )  # fmt: skip
