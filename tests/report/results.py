"""Results built by hand: one like a run on UTKFace, one where nothing could be computed, one with hostile names.

The numbers of the first are those of the full set and of the origin paper's Table I where these are known,
and plausible where they are not. Nothing here is an oracle for statistics.
"""

from __future__ import annotations

from dataclasses import replace

from fer_audit.audit.claims.summary import summed_up
from fer_audit.audit.findings import find
from fer_audit.audit.types import composition as comp
from fer_audit.audit.types import result as res
from fer_audit.audit.types.claims import (
    Association,
    AssociationCell,
    BatchPrediction,
    Ladder,
    Rung,
)
from fer_audit.audit.types.result import (
    PlantedCheck,
)
from fer_audit.audit.types.space import ClusterStyle
from fer_audit.audit.types.stability import (
    ClusterFacts,
    ClusterStability,
    PublishedValue,
    Starts,
    SweepEntry,
)
from fer_audit.config import AuditConfig
from fer_audit.embed.types import ModelFacts
from fer_audit.progress import Timing
from tests.known import known
from tests.report.results_upper import asked, stability, with_upper_half, without_values

RACES = ("White", "Black", "Asian", "Indian", "Other")
AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+")
TABLE_I = ((117, 6, 28, 26, 22), (51, 3, 20, 14, 12), (7, 0, 7, 4, 1), (96, 4, 29, 34, 19))
"""The origin paper's Table I, counts from its notebook."""

CROSS_TABLE = (
    348, 403, 368, 1583, 1008, 498, 674, 344, 264,
    381, 341, 336, 1345, 920, 455, 301, 268, 241,
    24, 168, 166, 893, 453, 224, 230, 132, 113,
    171, 153, 151, 670, 414, 205, 210, 120, 28,
    142, 127, 125, 331, 343, 170, 174, 100, 29,
    412, 116, 115, 507, 313, 155, 159, 91, 25,
    165, 148, 146, 611, 398, 197, 202, 116, 27,
    150, 135, 133, 701, 363, 180, 184, 106, 13,
    21, 63, 62, 438, 170, 84, 86, 22, 0,
    64, 26, 57, 265, 155, 77, 79, 19, 4,
)  # fmt: skip
"""Race x gender a line, an age a column: made up, with the margins of `utkface()` and its cells by name."""

RUNGS = (
    *("seen", "corrected", "not chance", "not the other attributes", "not image style"),
    *("not the crawl", "stable", "replicated"),
)

PEOPLE = {"race": RACES, "gender": ("male", "female"), "age": AGES}

HOSTILE = (
    *("[bold]loud[/bold]", "\x1b[31mred\x1b[0m", "two\nlines", "\u202eright to left"),
    *("<script>alert(1)</script>", "bytes\udcff\udcfe", "lone\ud800", "=cmd|'/C calc'!A0"),
    *("{{7*7}}", "family 👩\u200d👩\u200d👧, 漢字, عربي", "a\ttab and a\rreturn", "[/]"),
    *(":smile: \u2028 \u0007", "x" * 300),
)


def representation(
    attribute: str, names: tuple[str, ...], counts: tuple[int, ...], missing: int, **kind: str
) -> comp.Representation:
    """Return a composition whose shares follow from the counts; intervals are plausible, not exact."""
    total = sum(counts)
    even = 1 / len(names)
    groups = []
    for name, count in zip(names, counts, strict=True):
        share = count / total
        half = 1.96 * (share * (1 - share) / total) ** 0.5
        low, high = max(0.0, share - half), min(1.0, share + half)
        groups.append(
            comp.GroupShare(name, count, share, low, high, share / even, low / even, high / even)
        )
    return comp.Representation(
        attribute=attribute,
        kind=kind.get("kind", "demographic"),
        source="annotated",
        annotated=total,
        not_annotated=missing,
        groups=tuple(groups),
        indices=comp.Indices(
            len(names), 4.2525, 0.2714, 3.6846, 1.4475, 0.8994, 0.2987, 5.956, 0.4251
        ),
        target=comp.TargetDistance("uniform", 0.2251, 0.7749, 0.7749, 0.0561, 9000.1, 0.0001),
    )


def association(
    attribute: str,
    groups: tuple[str, ...],
    table: tuple[tuple[int, ...], ...],
    *,
    v: float = 0.09007,
    v_corrected: float = 0.00982,
    p: float = 0.4226,
    kind: str = "demographic",
) -> Association:
    """Return an association whose cells follow from the table."""
    total = sum(map(sum, table))
    columns = [sum(column) for column in zip(*table, strict=True)]
    cells = []
    for cluster, row in enumerate(table):
        for group, count, column in zip(groups, row, columns, strict=True):
            size = sum(row)
            expected = size * column / total if total else 0.0
            spread = (expected * (1 - size / (total or 1)) * (1 - column / (total or 1))) ** 0.5
            residual = (count - expected) / spread if spread else None
            p_adjusted = None if residual is None else (0.001 if abs(residual) > 3 else 0.4)
            share, lift = count / size if size else None, count / expected if expected else None
            cells.append(
                AssociationCell(
                    cluster,
                    group,
                    count,
                    share,
                    lift,
                    0.8,
                    1.2,
                    residual,
                    p_adjusted,
                    0.01,
                    0.02,
                    count < 30,
                )
            )
    return Association(
        attribute=attribute, kind=kind, n=total, groups=groups, table=table, chi2=12.1678, df=12, p_asymptotic=0.4323,
        expected_min=0.494, v=v, null_mean=0.0887, null_95=0.1182, v_corrected=v_corrected,
        low=max(0.0, v_corrected - 0.02), high=v_corrected + 0.0513, p_permutation=p,
        p_holm=min(1.0, 3 * p) if kind == "demographic" else None, permutations=10_000, u_group_from_cluster=0.0113,
        u_cluster_from_group=0.0127, ami=0.0021, balance=0.0, cells=tuple(cells), u_corrected=0.0109,
        v_corrected_null_95=0.0762,
    )  # fmt: skip


def ladder(attribute: str, holds: tuple[bool | None, ...], reading: str) -> Ladder:
    """Return a ladder with one entry of `holds` for each rung."""
    rungs = tuple(
        Rung(number, name, held, 0.112, 0.08, 0.14, 0.0001, 21_000, reading)
        for number, (name, held) in enumerate(zip(RUNGS, holds, strict=True), start=1)
    )
    highest = next((index for index, held in enumerate(holds) if not held), len(holds))
    return Ladder(attribute, rungs, highest)


def spread_out(
    total: int, shares: tuple[float, ...], clusters: int = 4
) -> tuple[tuple[int, ...], ...]:
    """Return a table in which the first group leans to the first cluster and the last to the last."""
    rows = []
    for cluster in range(clusters):
        tilt = (cluster - (clusters - 1) / 2) / clusters
        row = [
            round(
                total / clusters * share * (1 + tilt * (2 * index / max(1, len(shares) - 1) - 1))
            )
            for index, share in enumerate(shares)
        ]
        rows.append(tuple(row))
    return tuple(rows)


def utkface() -> res.AuditResult:
    """Return a result with the numbers of UTKFace, aligned and cropped."""
    race = representation("race", RACES, (10078, 4525, 3434, 3975, 1692), 3)
    gender = representation("gender", ("male", "female"), (12390, 11314), 3)
    age = representation("age", AGES, (1878, 1680, 1659, 7344, 4537, 2245, 2299, 1318, 744), 3)
    hours = tuple(f"2017-01-{9 + index // 24:02d} {index % 24:02d}h" for index in range(213))
    crawl = representation(
        "crawl hour", hours, tuple(400 - index for index in range(213)), 5, kind="batch"
    )
    ages = (0.079, 0.071, 0.07, 0.31, 0.191, 0.095, 0.097, 0.056, 0.031)
    associations = (
        association("race", RACES, spread_out(22_900, (0.425, 0.191, 0.145, 0.168, 0.071)), v=0.2131, v_corrected=0.2127, p=0.0001),
        association("gender", ("male", "female"), spread_out(22_900, (0.52, 0.48)), v=0.31, v_corrected=0.3097, p=0.0001),
        association("age", AGES, spread_out(22_900, ages), v=0.25, v_corrected=0.2496, p=0.0001),
        association("crawl hour", hours, ((20,) * 213,) * 4, v=0.41, v_corrected=0.4, p=0.0001, kind="batch"),
        association("shuffled control", RACES, TABLE_I, kind="label"),
    )  # fmt: skip
    held: tuple[bool | None, ...] = (True,) * 8
    lower_half = res.AuditResult.of(
        schema=res.AUDIT_SCHEMA,
        complete=True,
        dataset=comp.DatasetFacts(
            name="UTKFace", listed=23_708, ok=23_707, failed=1, fully_labelled=23_704,
            failures=(comp.RejectCount("truncated", 1, ("44_1_4_20170116235150272.jpg.chip.jpg",)),),
            flags=(comp.RejectCount("png_named_jpg", 2, ("a.jpg", "b.jpg")),),
            rejects=(
                comp.RejectCount("race_missing", 3, ("39_1_20170116174525125.jpg.chip.jpg", "61_1_20170109142408075.jpg.chip.jpg", "61_1_20170109150557335.jpg.chip.jpg")),
                comp.RejectCount("name_repaired", 2, ("24_0_1_20170116220224657 .jpg.chip.jpg",)),
            ),
            notes=(
                "Other holds Hispanic, Latino and Middle Eastern people, as the set's own page says.",
                "Many ages are round: see Whipple's index.",
            ),
            label_source="Estimated by the DEX algorithm and checked by one person; race, gender and age are perceived, not reported.",
            fingerprint="5d" * 32,
            terms="research only",
            facts=(("gender", "Female"), ("place", "a studio")),
            skipped=(("copy in another folder", 9_780), ("earlier frame of a sequence", 1)),
        ),
        model=ModelFacts("resnet50-keras", "ab" * 32, "CPUExecutionProvider", "fp32", 2048, "Trained on ImageNet, not on faces."),
        representation=(race, gender, age, crawl),
        age_heaping=comp.AgeHeaping(132.9, 15_000),
        intersections=comp.Intersections(
            attributes=("race", "gender", "age"), n=23_704, cells=90, empty=1, under_30=11,
            smallest=(
                comp.Cell(("Other", "male", "70+"), 0, 24.9, -5.0, 9.6, -3.3, 0.0042, 74_125),
                comp.Cell(("Other", "female", "70+"), 4, 24.1, -4.4),
                comp.Cell(("Indian", "female", "70+"), 13, 59.5, -6.9),
            ),
            largest_gaps=(
                comp.Cell(("Black", "male", "0-2"), 24, 187.4, -13.3),
                comp.Cell(("White", "female", "50-59"), 301, 466.6, -9.4),
            ),
            beyond_pairs=(
                comp.Cell(("Asian", "female", "0-2"), 412, 287.3, 8.1, 351.9, 5.2, 0.0001),
                comp.Cell(("Other", "male", "70+"), 0, 24.9, -5.0, 9.6, -3.3, 0.0042, 74_125),
                comp.Cell(("Indian", "male", "20-29"), 611, 640.2, -1.3, 633.6, None, None),
            ),
            groups=(RACES, ("male", "female"), AGES),
            counts=CROSS_TABLE,
        ),
        duplicates=comp.Duplicates(
            groups=375, files=765, left_out=390,
            conflicts=(comp.Count("race", 70), comp.Count("gender", 40), comp.Count("age", 205)),
            examples=(("1_0_0_20161219140623097.jpg.chip.jpg", "1_0_0_20161219140627985.jpg.chip.jpg"),),
            contradicting=259,
            worst="age 5 and 53",
        ),
        subset_checks=(
            comp.SubsetCheck(
                attribute="race", reference="UTKFace, all 23,702 strictly named files", n=500, tv=0.2149, chi2=98.905, p=0.0001,
                p_asymptotic=1.7e-20,
                worst=comp.SubsetGroup("Black", 13, 0.026, 0.19087, 2.7e-29),
                groups=(
                    comp.SubsetGroup("White", 271, 0.542, 0.42515, 1.9e-7),
                    comp.SubsetGroup("Black", 13, 0.026, 0.19087, 2.7e-29),
                    comp.SubsetGroup("Asian", 84, 0.168, 0.14488, 0.142),
                    comp.SubsetGroup("Indian", 78, 0.156, 0.16771, 0.511),
                    comp.SubsetGroup("Other", 54, 0.108, 0.07139, 0.0031),
                ),
            ),
        ),
        clustering=ClusterFacts(
            k=4,
            inertia=8_409_512.25,
            sizes=(7_404, 6_511, 5_190, 4_602),
            sweep=tuple(
                SweepEntry(k, value)
                for k, value in enumerate(
                    (10.21e6, 9.35e6, 8.79e6, 8.4095e6, 8.19e6, 8.02e6, 7.89e6, 7.7765e6, 7.68e6, 7.587e6), start=1
                )
            ),
            starts=Starts(10, 7_231_004.5, 7_242_601.75, 3),
        ),
        associations=associations,
        ladders=(
            ladder("race", (*held[:5], False, True, True), "38.0 % of the association is kept (31.0-45.0), p < .001"),
            ladder("gender", held, "V~ stays between .29 and .32"),
            ladder("age", (*held[:6], None, True), "a third k could not be fitted to so few images"),
        ),
        ledger=(
            res.LedgerEntry("association", "race", "permutation, fixed margins", 0.0001, 0.0003, "Holm"),
            res.LedgerEntry("association", "gender", "permutation, fixed margins", 0.0001, 0.0003, "Holm"),
            res.LedgerEntry("cells", "race, cluster 0 x White", "adjusted residual", 0.0004, 0.002, "Benjamini-Hochberg"),
        ),
        planted=(),
        config=AuditConfig(),
        versions=(("fer-audit", "0.1.0"), ("numpy", "2.3.0"), ("onnxruntime", "1.29.0"), ("scikit-learn", "1.7.0"), ("scipy", "1.16.0")),
        batch_predictions=(
            BatchPrediction("crawl hour", "race", 23_314, 17_602, 0.755, "White", 0.4251, 0.4322, 0.001, 999, (), 0.7413, 0.388),
            BatchPrediction("crawl hour", "gender", 23_314, 0, None, None, None, None, None, 0, (("accuracy", "one batch only"),)),
        ),
        published=(
            PublishedValue("The origin study: 500 UTKFace images, K-Means k = 4, its Table I", "race", 500, 4, 0.09007, 0.00982, 0.4323),
        ),
    )  # fmt: skip
    return with_findings(with_upper_half(lower_half, PEOPLE))


def with_findings(base: res.AuditResult) -> res.AuditResult:
    """Return the result with the claims that its tables and ladders make, and what an audit would say of it."""
    ladders = {each.attribute: each for each in base.ladders}
    claims = tuple(
        summed_up(each, ladders[each.attribute])
        for each in base.associations
        if each.attribute in ladders
    )
    result = base.having(claims=claims)
    return replace(result, findings=find(result))


def paper() -> res.AuditResult:
    """Return the origin paper's 500 images: its Table I, and what was planted, as the demo set has it."""
    whole_set = utkface()
    result = whole_set.having(
        representation=(representation("race", RACES, (271, 13, 84, 78, 54), 0),),
        associations=(association("race", RACES, TABLE_I),),
        ladders=(ladder("race", (False,) * 8, "V = .090 lies inside the null band (.089-.118)"),),
        planted=(
            PlantedCheck(
                "race is tied to the background",
                "a rung of style that does not hold",
                "rung 5 does not hold",
                agrees=True,
            ),
            PlantedCheck("gender is not planted", "no association", "V~ = .000", agrees=True),
            PlantedCheck("every tenth file is a copy", "20 groups", "19 groups", agrees=False),
        ),
    )
    return with_findings(result)


def degenerate() -> res.AuditResult:
    """Return a result where nothing could be computed: no labels, no model, not even complete."""
    reason = "nothing is annotated"
    lower_half = res.AuditResult.of(
        schema=res.AUDIT_SCHEMA,
        complete=False,
        dataset=comp.DatasetFacts("one image", 1, 0, 1, 0, (comp.RejectCount("empty", 1, ("a.jpg",)),), (), (), (), "", "00" * 32),
        model=None,
        representation=(
            comp.Representation(
                "race", "demographic", "annotated", 0, 1,
                (comp.GroupShare("White", 0, None, None, None, None, None, None),),
                comp.Indices(0, None, None, None, None, None, None, None, None, (("ENS", reason), ("SEI", "fewer than two groups"))),
                comp.TargetDistance("uniform", None, None, None, None, None, None, (("tv", reason),)),
            ),
        ),
        age_heaping=comp.AgeHeaping(None, 0, (("whipple", "no ages from 23 to 62"),)),
        intersections=None,
        duplicates=comp.Duplicates(0, 0, 0, (), ()),
        subset_checks=(comp.SubsetCheck("race", "the whole set", 0, None, None, None, None, None, (), (("p", reason),)),),
        clustering=ClusterFacts(1, 0.0, (1,), (SweepEntry(1, 0.0),), Starts(1, 0.0, 0.0)),
        associations=(
            Association(
                attribute="race", kind="demographic", n=0, groups=("White",), table=((0,),), chi2=None, df=None,
                p_asymptotic=None, expected_min=None, v=None, null_mean=None, null_95=None, v_corrected=None, low=None,
                high=None, p_permutation=None, p_holm=None, permutations=0, u_group_from_cluster=None,
                u_cluster_from_group=None, ami=None, balance=None,
                cells=(AssociationCell(0, "White", 0, None, None, None, None, None, None, None, None, True),),
                not_computable=(("v", "one cluster"), ("v_corrected", "one cluster")),
            ),
        ),
        ladders=(Ladder("race", (Rung(1, "seen", None, None, None, None, None, 0, "one cluster"),), 0),),
        ledger=(),
        findings=(),
        planted=(),
        config=AuditConfig(),
        versions=(),
    )  # fmt: skip
    return without_values(lower_half)


def bare() -> res.AuditResult:
    """Return the least a result can be."""
    base = degenerate()
    return replace(base, parts=(("duplicates", base.duplicates),), gate=())


def hostile() -> res.AuditResult:
    """Return a result in which every name and sentence tries to break out."""
    base = utkface()
    bad = "".join(HOSTILE[:6])
    counts = tuple(range(100, 100 + len(HOSTILE)))
    reject = (comp.RejectCount(bad, 3, HOSTILE[:3]),)
    lower_half = base.having(        dataset=replace(base.dataset, name=bad, notes=HOSTILE, label_source=bad, failures=reject, flags=reject, rejects=reject, terms=bad, facts=((bad, bad),), skipped=((bad, 3),)),
        model=ModelFacts(bad, bad, bad, "fp32", 8, bad),
        representation=(representation(bad, HOSTILE, counts, 1), representation(HOSTILE[1], HOSTILE[:3], counts[:3], 0)),
        intersections=comp.Intersections(
            HOSTILE[:3], 9, 9, 1, 8, (comp.Cell(HOSTILE[:3], 0, 1.0, None),), (comp.Cell(HOSTILE[3:6], 0, 1.0, None),),
            groups=(HOSTILE[:3], HOSTILE[3:6], HOSTILE[6:7]), counts=(0, 1, 1, 1, 1, 1, 1, 1, 2),
        ),
        duplicates=comp.Duplicates(1, 2, 1, (comp.Count(bad, 1),), (HOSTILE,)),
        subset_checks=(
            comp.SubsetCheck(bad, bad, 9, 0.5, 9.0, 0.0001, 0.1, comp.SubsetGroup(bad, 1, 0.1, 0.2, 0.01), (comp.SubsetGroup(bad, 1, 0.1, 0.2, 0.01),)),
        ),
        associations=(
            association(bad, HOSTILE[:5], TABLE_I),
            association(HOSTILE[1], HOSTILE[5:10], TABLE_I),
            association("\x1b[2J", HOSTILE, (counts, counts)),
        ),
        ladders=(replace(ladder(bad, (False,) * 8, bad.replace("{", "")), rungs=(Rung(1, bad, False, None, None, None, None, 0, bad),)),),
        gate=(res.GateRule(bad, None, crossed=False, reason=bad), res.GateRule(HOSTILE[1], 0.5, crossed=True, reason=bad)),
        ledger=(res.LedgerEntry(bad, bad, bad, 0.1, None, bad),),
        findings=tuple(res.Finding("code", "fix", text) for text in HOSTILE),
        planted=(PlantedCheck(bad, bad, bad, agrees=False),),
        config=AuditConfig.of(model=bad, path_column=bad, group=((bad, bad),), given=((bad,),), fail_on=(bad,)),
        batch_predictions=(BatchPrediction(bad, bad, 9, 3, 0.3, bad, 0.2, 0.1, 0.5, 9), BatchPrediction(bad, bad, 9, 3, None, None, None, None, None, 9, ((bad, bad),))),
        versions=tuple((name, name) for name in HOSTILE),
    )  # fmt: skip
    upper = with_upper_half(
        lower_half, {bad: HOSTILE[:3], HOSTILE[1]: HOSTILE, HOSTILE[7]: HOSTILE[3:9]}
    )
    return upper.having(
        gate=lower_half.gate,
        cluster_styles=(
            ClusterStyle(0, bad, 9, 1.0, 0.9, 0.1, 0.0, 0.2),
            ClusterStyle(0, HOSTILE[1], 0, None, None, None, None, None, ((bad, bad),)),
        ),
        published=(PublishedValue(bad, bad, 9, 2, 0.1, 0.0, 0.5),),
        claims=tuple(
            summed_up(association(name, HOSTILE, (counts, counts)), found)
            for name, found in ((HOSTILE[1], ladder(HOSTILE[1], (True,) * 8, "")), *((x.attribute, x) for x in upper.ladders))
        ),
    )  # fmt: skip


def many() -> res.AuditResult:
    """Return the largest of everything: attributes and groups of long names, clusters, findings of what they hold."""
    base = utkface()
    names = [f"{'attribute of a long name ' * 3}{n}" for n in range(30)]
    groups = tuple(f"{'group of a long name ' * 3}{n}" for n in range(12))
    k, counts = 40, tuple(range(500, 1700, 100))
    table = tuple(tuple(x * (2 if at == x % 12 else 1) for x in counts) for at in range(k))
    holds: tuple[bool | None, ...] = (True,) * 8
    facts = known(base.clustering)
    missed = tuple(PlantedCheck(name, name, name, agrees=False) for name in names)
    crossed = tuple(
        res.GateRule(f"{name}.v>0.1", 0.5, crossed=True, reason=name) for name in names
    )
    rejects = tuple(comp.RejectCount(name, 400, (name,)) for name in names)
    shown = stability(tuple(names[:3]))
    loose = tuple(ClusterStability(at, 0.4, stable=False) for at in range(k))
    return with_findings(
        base.having(
            dataset=replace(base.dataset, name=names[0] * 4, rejects=rejects, failures=rejects, failed=9_000, ok=14_708, label_source=names[0] * 9),
            representation=tuple(representation(name, groups, counts, 1) for name in names),
            clustering=replace(facts, k=k, sizes=(500,) * k),
            associations=tuple(association(name, groups, table, v_corrected=0.6 - at / 60, p=0.0001) for at, name in enumerate(names)),
            ladders=tuple(asked(ladder(name, holds, "holds"), (names[0], names[1]), 0.2) for name in names),
            stability=replace(shown, clusters=loose, ari_median=0.2),
            planted=missed,
            gate=crossed,
        )
    )  # fmt: skip


def timings() -> tuple[Timing, ...]:
    """Return what the stages of a run took."""
    return (
        Timing("dataset", 23_708, 0.31),
        Timing("pack", 23_708, 41.2),
        Timing("embed", 23_707, 1_204.55),
        Timing("cluster", 23_707, 9.8, reused=True),
    )
