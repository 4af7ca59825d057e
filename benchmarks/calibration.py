"""Does the audit keep its word? How often made-up labels pass, of which it is known what links them to the clusters.

    python -m benchmarks.calibration                                   every part, about forty minutes on two cores
    python -m benchmarks.calibration people lag --run RUN_FOLDER        some parts, and some on a finished run of UTKFace

Sets are drawn like UTKFace: 132 hours of 22 days, age, gender, ten measures of style from four causes, four clusters that
follow all of these. One line of Markdown per question: how often it was answered yes, and its Monte-Carlo error.
alpha = .05; a label is alone in its family unless a row says otherwise.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from fer_audit.audit.claims.associations import associate_labels, correct_for_attributes, pair_of
from fer_audit.audit.claims.conditional_tests import answer
from fer_audit.audit.claims.confounders import STYLE_JOINT, combined, questions_for, style_bins
from fer_audit.audit.claims.ladders import corrected_over_attributes, full_ladder
from fer_audit.audit.stats.what_is_left import lagged
from fer_audit.audit.types.claims import Association, Conditional, Ladder
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute, Kind
from fer_audit.pack.types import STYLE_NAMES
from fer_audit.rng import stage_rng
from tests.audit.inputs import attribute, clustering_of, dataset_of, inputs_of, rows_of

Codes = NDArray[np.integer]
Floats = NDArray[np.floating]
RACE = np.array([0.425, 0.191, 0.145, 0.168, 0.071])
AGE = [0.083, 0.061, 0.065, 0.31, 0.191, 0.095, 0.08, 0.057, 0.058]
HOURS, DAYS = 132, 22
UTKFACE = 23_704
ALPHA = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """A set without the label that is tried; row i of all is image i, in the order of collection."""

    columns: tuple[Attribute, ...]
    style: NDArray[np.float32]
    clusters: Codes
    hour: Codes
    day: Codes

    def __len__(self) -> int:
        return len(self.clusters)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a question was answered yes."""

    label: str
    n: int
    question: str
    yes: int
    runs: int

    @property
    def error(self) -> float:
        """Standard error of the rate; of none or all that of half a run more or less."""
        p = (self.yes + 0.5) / (self.runs + 1)
        return float(np.sqrt(p * (1 - p) / self.runs))

    def line(self) -> str:
        """Return a row of a Markdown table."""
        rate = f"{self.yes / self.runs:.1%} ({self.error:.1%})".replace("%", " %")
        return f"| {self.label} | {self.n:,} | {self.question} | {rate} | {self.runs} |"


def numbered(codes: Codes, name: str, kind: Kind = "batch") -> Attribute:
    """Return codes as a column whose groups are numbered."""
    return attribute(name, codes, [str(i) for i in range(int(codes.max()) + 1)], kind)


def drawn(rng: np.random.Generator, n: int, *, crawl: float = 0.5, style: float = 0.6) -> Faces:
    """Draw a set; `crawl` and `style` say how much the clusters follow the hour and the style."""
    hour = np.sort(rng.choice(HOURS, n, p=rng.dirichlet(np.ones(HOURS))))
    day = hour // (HOURS // DAYS)
    age, gender = rng.choice(9, n, p=AGE), rng.choice(2, n, p=[0.52, 0.48])
    causes = rng.normal(size=(n, 4)) + 0.5 * rng.normal(size=(HOURS, 4))[hour]
    measures = causes @ rng.normal(size=(4, len(STYLE_NAMES)))
    measures += 0.7 * rng.normal(size=measures.shape)
    score = (
        rng.normal(size=(HOURS, 4))[hour] * crawl
        + style * causes @ rng.normal(size=(4, 4))
        + 0.3 * (age[:, None] - 4) * np.linspace(-1, 1, 4)
        + 0.5 * gender[:, None] * [1, -1, 1, -1]
    )
    clusters = (score + rng.gumbel(size=(n, 4))).argmax(axis=1)
    columns = (
        numbered(age, "age_bin", "demographic"),
        attribute("gender", gender, ("male", "female")),
        numbered(day, "day"),
        numbered(hour, "hour"),
    )
    return Faces(columns, measures.astype(np.float32), clusters, hour, day)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What was found of labels, before the correction for how many there are."""

    tables: Sequence[Association]
    left: Sequence[Sequence[Conditional]]

    def ladders(self, family: slice = slice(None)) -> list[Ladder]:
        """Return the ladders of some of the labels, as if there were no others."""
        found = correct_for_attributes(self.tables[family], alpha=ALPHA)
        asked = {(x.of, x.attribute): y for x, y in zip(found, self.left[family], strict=True)}
        p = corrected_over_attributes(asked, dict.fromkeys(asked, "demographic"))
        return [
            full_ladder(x, asked[x.of, x.attribute], p[x.of, x.attribute], None, alpha=ALPHA)
            for x in found
        ]


def ask(
    faces: Faces, labels: Sequence[Codes], rungs: Sequence[int], *, draws: int = 199, seed: int = 0
) -> Asked:
    """Return what the audit finds of labels; of rungs 4 to 6 only those named are asked."""
    tried = [numbered(codes, f"tried_{i}", "demographic") for i, codes in enumerate(labels)]
    inputs = inputs_of(
        # one of those that are tried is no confounder of another
        dataset_of(*faces.columns, n=len(faces)),
        replace(rows_of(len(faces)), style=faces.style),
        clustering=clustering_of(faces.clusters, k=4),
        config=AuditConfig.of(permutations=draws, bootstraps=199, seed=seed),
    )
    clusters = numbered(faces.clusters, "cluster", "label")
    tables = [associate_labels(clusters.codes, each, inputs, "association", 4) for each in tried]
    left = [
        [
            answer(
                question,
                question.held_fixed(each, inputs),
                pair_of(clusters, each, inputs),
                permutations=draws,
                least=draws,
                confidence=0.95,
                rng=stage_rng(seed, "audit", "given", each.name, question.family),
            )
            for question in questions_for(clusters, each, inputs)
            if question.rung in rungs and not question.detail
        ]
        for each in tried
    ]
    return Asked(tables, left)


def ladder(
    faces: Faces, label: Codes, rungs: Sequence[int], *, draws: int = 199, seed: int = 0
) -> Ladder:
    """Return the ladder of a label that is alone in its family."""
    return ask(faces, [label], rungs, draws=draws, seed=seed).ladders()[0]


def answers(found: Ladder, rungs: Sequence[int]) -> Iterator[tuple[str, bool]]:
    """Yield each question and whether yes: rungs 1 to 3 together, then each rung, and whether its word is part or most."""
    first = found.rungs[:3]
    yield "rung 3: p", first[2].holds is True
    yield "rungs 1 to 3", all(rung.holds for rung in first)
    for rung in (found.rungs[number - 1] for number in rungs):
        name = f"rung {rung.number}"
        yield f"{name}: p", rung.p is not None and rung.p <= ALPHA
        yield f"{name} holds", rung.holds is True
        yield f"{name}: part or most", rung.grade in ("part", "most")


def rates(
    label: str, n: int, runs: int, run: Callable[[int], Iterable[tuple[str, bool]]]
) -> Iterator[Rate]:
    """Yield how often each question of `run`, called with 0 .. runs - 1, was answered yes."""
    yes: dict[str, list[bool]] = {}
    for seed in range(runs):
        for question, holds in run(seed):
            yes.setdefault(question, []).append(holds)
    for question, found in yes.items():
        yield Rate(label, n, question, sum(found), len(found))


def picked_by(law: Floats, rng: np.random.Generator) -> Codes:
    """Return a group for each row of (n, 5) summed shares."""
    return np.asarray((rng.random(len(law))[:, None] > law).sum(axis=1).clip(max=4))


def by(codes: Codes, rng: np.random.Generator) -> Codes:
    """Return labels that follow these codes and nothing else: each has its own shares of the five groups."""
    return picked_by(rng.dirichlet(RACE * 5, size=int(codes.max()) + 1).cumsum(axis=1)[codes], rng)


def cut(score: Floats) -> Codes:
    """Return five groups of UTKFace's sizes, by the order of a score."""
    edges = np.quantile(score, RACE.cumsum()[:-1])
    return np.searchsorted(edges, score)


def shuffled(runs: int = 400) -> Iterator[Rate]:
    """Try labels that nothing links to the clusters."""
    for n, times, rungs in (
        (200, runs, (4, 5)),
        (500, runs, (4, 5)),
        (3_000, runs, (4, 5, 6)),
        (UTKFACE, runs // 2, (4, 6)),
    ):

        def run(seed: int, n: int = n, rungs: Sequence[int] = rungs) -> Iterator[tuple[str, bool]]:
            rng = np.random.default_rng([1, n, seed])
            label = rng.choice(5, n, p=RACE)
            yield from answers(ladder(drawn(rng, n), label, rungs, seed=seed), rungs)

        yield from rates("shuffled", n, times, run)


def crawl(runs: int = 400) -> Iterator[Rate]:
    """Try labels that follow the day, or the hour, and nothing else."""
    for name, n, times in product(("day", "hour"), (3_000, UTKFACE), (runs,)):

        def run(seed: int, name: str = name, n: int = n) -> Iterator[tuple[str, bool]]:
            rng = np.random.default_rng([2, len(name), n, seed])
            faces = drawn(rng, n, crawl=0.8)
            found = ladder(faces, by(getattr(faces, name), rng), (6,), seed=seed)
            yield from answers(found, (6,))
            for each in found.conditionals:
                yield f"p given {each.given[0]}", each.p is not None and each.p <= ALPHA

        yield from rates(f"follows the {name} only", n, times if n < UTKFACE else times // 2, run)


def sessions(rng: np.random.Generator, hour: Codes) -> Codes:
    """Return labels that come in runs of some thirty images within each hour, as the results of one search do."""
    first = (rng.random(len(hour)) < 1 / 30) | (np.diff(hour, prepend=-1) != 0)
    of_hour = rng.dirichlet(RACE, size=HOURS)[hour[first]]
    law = np.array([rng.dirichlet(3 * shares + 1e-3) for shares in of_hour]).cumsum(axis=1)
    return picked_by(law[first.cumsum() - 1], rng)


def lag(runs: int = 40, n: int = UTKFACE) -> Iterator[Rate]:
    """Try the label of the image L places later in the same hour, where clusters follow the label itself (V .55)."""
    for places in (0, 1, 5, 50):

        def run(seed: int, places: int = places) -> Iterator[tuple[str, bool]]:
            rng = np.random.default_rng([3, seed])
            faces = drawn(rng, n, crawl=0.3)
            label = sessions(rng, faces.hour)
            follows = rng.random(n) < 0.6
            faces = replace(faces, clusters=np.where(follows, label % 4, faces.clusters))
            later = lagged(label, faces.hour, np.arange(n), places) if places else label
            rung = ladder(faces, later, (6,), seed=seed).rungs[5]
            for grade in ("trace", "little", "part", "most", "cannot tell"):
                yield f"graded {grade}", rung.grade == grade
            yield "rung 6 holds", rung.holds is True

        yield from rates(f"of the image {places} later", n, runs, run)


def style(runs: int = 100) -> Iterator[Rate]:
    """Try labels that follow two measures of style, or the clusters of style alone, and nothing else."""
    for make, n in product((two_measures, style_clusters), (3_000, UTKFACE)):

        def run(
            seed: int, make: Callable[..., Codes] = make, n: int = n
        ) -> Iterator[tuple[str, bool]]:
            rng = np.random.default_rng([4, n, seed])
            faces = drawn(rng, n)
            yield from answers(ladder(faces, make(faces.style, rng), (5,), seed=seed), (5,))

        yield from rates(make.__name__, n, runs if n < UTKFACE else 20, run)


def two_measures(measures: NDArray[np.float32], rng: np.random.Generator) -> Codes:
    """Return labels by mean luma and the border's red, with as much noise as both."""
    scaled = (measures - measures.mean(axis=0)) / measures.std(axis=0)
    both = scaled[:, STYLE_NAMES.index("luma_mean")] + scaled[:, STYLE_NAMES.index("border_red")]
    return cut(both + both.std() * rng.normal(size=len(both)))


def style_clusters(measures: NDArray[np.float32], rng: np.random.Generator) -> Codes:
    """Return labels by four clusters of the standardised measures, each with its own shares."""
    from sklearn.cluster import KMeans

    scaled = (measures - measures.mean(axis=0)) / measures.std(axis=0)
    found = KMeans(4, n_init=3, random_state=int(rng.integers(2**31))).fit_predict(scaled)
    return by(found, rng)


def people(runs: int = 1_000, n: int = 3_000) -> Iterator[Rate]:
    """Try labels drawn once a person, with and without a column that says who it is; clusters agree within a person."""
    for images, known in product((3, 5, 10), (True, False)):

        def run(
            seed: int, images: int = images, known: bool = known
        ) -> Iterator[tuple[str, bool]]:
            rng = np.random.default_rng([6, images, seed])
            person = np.arange(n) // images
            own = rng.normal(size=(n // images, 4))[person]
            score = np.sqrt(0.8) * own + np.sqrt(0.2) * rng.normal(size=(n, 4))
            label = rng.choice(5, n // images, p=RACE)[person]
            who = (numbered(person, "person", "subject"),) if known else ()
            nothing = np.zeros((n, len(STYLE_NAMES)), np.float32)
            faces = Faces(who, nothing, score.argmax(axis=1), person, person)
            yield from answers(ladder(faces, label, (), seed=seed), ())

        name = "named" if known else "not named"
        yield from rates(f"of the person, {images} images each, {name}", n, runs, run)


def planted(runs: int = 400) -> Iterator[Rate]:
    """Try labels that follow the clusters in a share of the images and nothing otherwise."""
    sizes = ((200, runs, (4,)), (500, runs, (4,)), (UTKFACE, runs // 8, (4, 5, 6)))
    for (n, times, rungs), v in product(sizes, (0.05, 0.1, 0.2)):

        def run(
            seed: int, n: int = n, v: float = v, rungs: Sequence[int] = rungs
        ) -> Iterator[tuple[str, bool]]:
            rng = np.random.default_rng([7, n, int(100 * v), seed])
            faces = drawn(rng, n)
            found = ladder(faces, planted_in(faces.clusters, v, rng), rungs, seed=seed)
            yield from answers(found, rungs)
            _, corrected, *_ = found.rungs
            if corrected.low is not None and corrected.high is not None:
                yield "interval of V~ holds V", corrected.low <= v <= corrected.high

        yield from rates(f"planted V {v}", n, times, run)


def planted_in(clusters: Codes, v: float, rng: np.random.Generator) -> Codes:
    """Return labels that follow the cluster in as many images as make V of the law what it is to be."""
    shares = np.bincount(clusters, minlength=4) / len(clusters)

    fixed = np.pad(np.diag(shares), ((0, 0), (0, 1)))

    def v_of(follow: float) -> float:
        joint = (1 - follow) * np.outer(shares, RACE) + follow * fixed
        alone = np.outer(shares, joint.sum(axis=0))
        return float(np.sqrt(((joint - alone) ** 2 / alone).sum() / 3))

    follow = brentq(lambda x: v_of(x) - v, 0.0, 0.9)
    label = rng.choice(5, len(clusters), p=RACE)
    return np.where(rng.random(len(clusters)) < follow, clusters, label)


def families(sets: int = 30) -> Iterator[Rate]:
    """Forty labels a set that follow style (three measures in thirds) or the day only: any false pass of 3, 10 or 40."""
    for number, n in ((5, 900), (6, 3_000)):
        passed: Mapping[int, list[bool]] = {3: [], 10: [], 40: []}
        for seed in range(sets):
            rng = np.random.default_rng([8, number, seed])
            faces = drawn(rng, n, crawl=0.8)
            faces = replace(faces, columns=faces.columns[:3])
            bins = style_bins(
                replace(rows_of(n), style=faces.style), np.ones(n, bool), STYLE_JOINT, parts=3
            )
            code = faces.day if number == 6 else combined(bins)
            asked = ask(
                faces, [by(code, rng) for _ in range(40)], (number,), draws=1_999, seed=seed
            )
            for size, any_of in passed.items():
                for start in range(0, 40 - size + 1, size):
                    some = asked.ladders(slice(start, start + size))
                    any_of.append(any(each.rungs[number - 1].holds is True for each in some))
        what = "style" if number == 5 else "the day"
        for size, any_of in passed.items():
            yield Rate(
                f"{size} labels follow {what} only",
                n,
                f"any passes rung {number}",
                sum(any_of),
                len(any_of),
            )


def real(run: Path) -> Iterator[Rate]:
    """Try labels on the clusters, hours and style of a finished run: its own from L places later, and labels of style."""
    faces, labels = read_run(run)
    order = np.arange(len(faces))
    for places, (name, codes) in product((1, 5, 50), labels.items()):
        found = ladder(faces, lagged(codes, faces.hour, order, places), (6,))
        (top,) = [each for each in found.conditionals if each.headline]
        what = f"{name} of the image {places} later: {top.grade}, {top.per_entropy:.3f}"
        yield Rate(what, top.n, "rung 6 holds", int(found.rungs[5].holds is True), 1)
    for make in (two_measures, style_clusters):

        def run_one(seed: int, make: Callable[..., Codes] = make) -> Iterator[tuple[str, bool]]:
            label = make(faces.style, np.random.default_rng([9, seed]))
            yield from answers(ladder(faces, label, (5,), seed=seed), (5,))

        yield from rates(f"UTKFace's style, {make.__name__}", len(faces), 20, run_one)


def read_run(run: Path) -> tuple[Faces, Mapping[str, Codes]]:
    """Return a run's clusters, hours and style in the order of the crawl, one copy of each image, and its labels."""
    from pyarrow import parquet

    table = parquet.read_table(run / "rows.parquet")
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    once = np.unique(columns["sha256"].astype(str), return_index=True)[1]
    stamps = np.array([name.split("_")[-1] for name in columns["id"][once]])
    rows = once[np.argsort(stamps, kind="stable")]
    rows = rows[columns["cluster"][rows] >= 0]

    def codes(name: str) -> Codes:
        return np.unique(columns[name][rows].astype(str), return_inverse=True)[1]

    style = np.stack([columns[name][rows] for name in STYLE_NAMES], axis=1).astype(np.float32)
    levels = {name: codes(name) for name in columns if name.startswith("crawl_")}
    batches = tuple(numbered(each, name) for name, each in levels.items())
    clusters = columns["cluster"][rows]
    faces = Faces(batches, style, clusters, levels["crawl_hour"], levels["crawl_day"])
    return faces, {name: codes(name) for name in ("race", "gender", "age_bin")}


PARTS: Mapping[str, Callable[[], Iterator[Rate]]] = {
    "shuffled": shuffled,
    "crawl": crawl,
    "lag": lag,
    "style": style,
    "people": people,
    "planted": planted,
    "families": families,
}


def main() -> None:
    """Measure the parts asked for and print their table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--run", type=Path, help="the output folder of an audit of UTKFace")
    asked = parser.parse_args()
    print("| label | images | question | yes (Monte-Carlo error) | runs |\n|---|---|---|---|---|")  # noqa: T201
    chosen = asked.parts or list(PARTS)
    found = [PARTS[name]() for name in chosen]
    for rate in chain(*found, real(asked.run) if asked.run else ()):
        print(rate.line(), flush=True)  # noqa: T201 - a table


if __name__ == "__main__":
    main()
