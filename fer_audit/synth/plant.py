"""What is planted: the labels of every drawn face, and the truth about them.

    group ── session ── place (backdrop, light) ──┐
                        gender ── hair ───────────┼── picture ── vector ── cluster
                        expression ───────────────┘
    age

A line is a dependence; where there is none, there is none in the sample either.
Ages, expressions, places and hair are dealt evenly within each session x group x gender, because a random
draw would associate something by chance in one set out of twenty, and this set is drawn only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from fer_audit.rng import stage_rng
from fer_audit.synth.backdrop import PLACES
from fer_audit.synth.draw import EXPRESSIONS, HAIRS

TRUTH_SCHEMA = "fer-audit/truth/1"
SEED = 7

GROUPS = ("A", "B", "C", "D")
SESSIONS = ("first", "second")
GENDERS = ("female", "male")

_SHARES = {"B": 0.30, "C": 0.22, "D": 0.03}
"""A has the rest. 3 % is an eighth of an even share, far below four fifths of it."""
_FIRST_SESSION = {"A": 0.75, "B": 0.28, "C": 0.25, "D": 0.5}
"""Share of a group in the first session: a strong tie, and every group in both sessions, or there would be
nothing to compare within one."""
_MOVED = 1 / 15
"""Share of a session's pictures that were taken in the other one's place."""
_UNUSUAL_HAIR = 1 / 12
"""Share of a gender with the other one's usual hair: no attribute of real people is ever seen perfectly."""
_YOUNGEST, _OLDEST = 3, 80

ABOUT = (
    "These faces are drawings made by fer-audit, not people; groups, genders, ages and sessions are invented. "
    "The set exists to show whether the audit finds what was planted and stays silent where nothing was."
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was planted, as truth.json says it."""

    kind: str
    """Names the check: under_represented, seen, through_batch or free."""
    attribute: str
    words: str
    group: str | None = None
    """The group that is rare."""
    batch: str | None = None
    """The batch attribute that explains the association, or does not."""
    ratio_below: float = 1.0
    """A rare group has less than so much of its target share."""
    least_v: float = 0.0
    """V~ that what is seen should reach; far below what is measured with the default model."""


@dataclass(frozen=True, slots=True)
class Row:
    """One picture: its labels, and how it is drawn."""

    group: str
    gender: str
    age: int
    """Years."""
    expression: str
    session: str
    place: str
    """Where it was taken: the session's usual place, or rarely the other."""
    hair: str
    """The gender's usual hair, or rarely the other."""


def plant_rows(n: int) -> list[Row]:
    """Return the labels of n pictures, in shuffled order."""
    rows: list[Row] = []
    for session, group, gender in product(SESSIONS, GROUPS, GENDERS):
        count = _cell_count(n, session, group, gender)
        rows += _deal_cell(count, session, group, gender)
    order = stage_rng(SEED, "synth", "order").permutation(len(rows))
    return [rows[i] for i in order.tolist()]


def group_counts(n: int) -> dict[str, int]:
    """Return how many of n pictures each group gets."""
    counts = {group: round(n * share) for group, share in _SHARES.items()}
    return {"A": n - sum(counts.values()), **counts}


def describe(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the truth about the rows, for `check_planted`."""
    return {
        "schema": TRUTH_SCHEMA,
        "drawn": True,
        "about": ABOUT,
        "seed": SEED,
        "n": len(rows),
        "planted": [asdict(fact) for fact in _planted(rows)],
    }


def _planted(rows: Sequence[Row]) -> tuple[Fact, ...]:
    rarest = GROUPS[-1]
    moved = sum(row.place != PLACES[SESSIONS.index(row.session)] for row in rows)
    unusual = sum(row.hair != HAIRS[GENDERS.index(row.gender)] for row in rows)
    return (
        Fact(
            "under_represented",
            "group",
            f"Group {rarest} is under-represented, {group_counts(len(rows))[rarest]} of {len(rows)}.",
            group=rarest,
            ratio_below=0.8,
        ),
        Fact(
            "seen",
            "session",
            "The session decides backdrop and light, most of what is seen; "
            f"{moved} pictures were taken in the other session's place.",
            least_v=0.6,
        ),
        Fact(
            "through_batch",
            "group",
            "A group is drawn nowhere. It goes along with clusters only because the sessions "
            "had different shares of each group.",
            batch="session",
        ),
        Fact(
            "seen",
            "gender",
            "The gender decides how long the hair is, in every session and group; "
            f"{unusual} pictures have the other gender's usual hair.",
            batch="session",
            least_v=0.3,
        ),
        Fact("free", "age_bin", "The age is drawn nowhere and tied to nothing."),
    )


def _cell_count(n: int, session: str, group: str, gender: str) -> int:
    """Return how many pictures of one session, group and gender there are."""
    total = group_counts(n)[group]
    first = round(total * _FIRST_SESSION[group])
    in_session = first if session == SESSIONS[0] else total - first
    half = in_session // 2
    return half if gender == GENDERS[0] else in_session - half


def _deal_cell(count: int, session: str, group: str, gender: str) -> list[Row]:
    """Return the rows of one cell, the other attributes dealt evenly and independently of each other."""

    def levels(purpose: str) -> list[float]:
        """Return `count` numbers spread evenly over [0, 1), in random order."""
        rng = stage_rng(SEED, "synth", purpose, session, group, gender)
        return [float(x) for x in (rng.permutation(count) + rng.random()) / max(count, 1)]

    usual_place, usual_hair = SESSIONS.index(session), GENDERS.index(gender)
    dealt = zip(levels("age"), levels("expression"), levels("place"), levels("hair"), strict=True)
    return [
        Row(
            group=group,
            gender=gender,
            age=_YOUNGEST + int(age * (_OLDEST - _YOUNGEST + 1)),
            expression=EXPRESSIONS[int(expression * len(EXPRESSIONS))],
            session=session,
            place=PLACES[usual_place ^ (place < _MOVED)],
            hair=HAIRS[usual_hair ^ (hair < _UNUSUAL_HAIR)],
        )
        for age, expression, place, hair in dealt
    ]
