"""What is planted: the labels of every drawn face, and the truth about them.

    group ── session ── place (backdrop, light) ──┐
                        gender ── hair ───────────┼── picture ── vector ── cluster
                        person ── skin, colours ──┤
                        expression ───────────────┘
    person ── age
    emotion

A line is a dependence; where there is none, there is none in the sample either, but for the ages.
Expressions, emotions, places and hair are dealt evenly within each session x group x gender, because a random
draw would associate something by chance in one set out of twenty, and this set is drawn only once.
Ages are drawn at random, one for each person: counted by image, they seem to go along with whatever a person's
pictures have in common.
Some pictures are there twice, a little changed and under another person's number; more than half of these copies have
another expression than the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from fer_audit.rng import stage_rng
from fer_audit.synth.draw import EXPRESSIONS, HAIRS, PLACES

TRUTH_SCHEMA = "fer-audit/truth/1"
SEED = 7

GROUPS = ("A", "B", "C", "D")
SESSIONS = ("first", "second")
GENDERS = ("female", "male")
EMOTIONS = ("calm", "tense")
PICTURES_EACH = 4
"""About how many pictures there are of a person."""

_SHARES = {"B": 0.30, "C": 0.22, "D": 0.03}
"""A has the rest. 3 % is an eighth of an even share, far below four fifths of it."""
_FIRST_SESSION = {"A": 0.8, "B": 0.2, "C": 0.2, "D": 0.5}
"""Share of a group in the first session: a strong tie, and every group in both sessions, or there would be
nothing to compare within one."""
_MOVED = 1 / 15
"""Share of a session's pictures that were taken in the other one's place."""
_UNUSUAL_HAIR = 1 / 12
"""Share of a gender's people with the other one's usual hair: no attribute of real people is ever seen perfectly."""
_COPIED = 20
"""Of so many pictures of a session x group x gender, one is a copy."""
_YOUNGEST, _OLDEST = 3, 80

ABOUT = (
    "These faces are drawings made by fer-audit, not people; groups, genders, ages and sessions are invented. "
    "The set exists to show whether the audit finds what was planted and stays silent where nothing was."
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was planted, as truth.json says it."""

    kind: str
    """Names the check: under_represented, seen, through_batch, by_person, free or near_copies."""
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
    copies: int = 0
    """Pictures that are there twice."""
    differ: int = 0
    """Those of which the two labels differ."""


@dataclass(frozen=True, slots=True)
class Row:
    """One picture: its labels, and how it is drawn."""

    person: int
    group: str
    gender: str
    age: int
    """Years."""
    expression: str
    emotion: str
    """What somebody guessed who never saw the picture."""
    session: str
    picture: int
    """Number of the drawing; a copy has that of the first one."""
    face: int
    """Number of the person who was drawn: of a copy, the one whose picture it is."""
    drawn: str
    """The expression that is drawn."""
    place: str
    """Where it was taken: the session's usual place, or rarely the other."""
    hair: str
    """The gender's usual hair, or rarely the other."""
    is_copy: bool = False


def plant_rows(n: int) -> list[Row]:
    """Return the labels of n pictures, in shuffled order."""
    rows: list[Row] = []
    for session, group, gender in product(SESSIONS, GROUPS, GENDERS):
        total = group_counts(n)[group]
        first = round(total * _FIRST_SESSION[group])
        in_session = first if session == SESSIONS[0] else total - first
        half = in_session // 2
        count = half if gender == GENDERS[0] else in_session - half
        rows += _deal_cell(count, session, group, gender, start=len(rows))
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
    copies = [row for row in rows if row.is_copy]
    differ = sum(row.expression != row.drawn for row in copies)
    people = len({row.face for row in rows})
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
        Fact(
            "by_person",
            "age_bin",
            f"The age is drawn nowhere. Each of {people} people has one at random, and so have all pictures of them.",
        ),
        Fact("free", "emotion", "The emotion is drawn nowhere and tied to nothing."),
        Fact(
            "near_copies",
            "expression",
            f"{len(copies)} pictures are there twice, a little changed; {differ} of the copies have another expression.",
            copies=len(copies),
            differ=differ,
        ),
    )


def _deal_cell(count: int, session: str, group: str, gender: str, *, start: int) -> list[Row]:
    """Return the rows of one cell, its pictures and people numbered from `start`.

    All but ages is dealt evenly and independently of each other. A copy is the same picture of the same labels once more, as
    another person's; the expression agrees or not.
    """

    def levels(purpose: str, size: int = count) -> list[float]:
        """Return `size` numbers spread evenly over [0, 1), in random order."""
        rng = stage_rng(SEED, "synth", purpose, session, group, gender)
        return [float(x) for x in (rng.permutation(size) + rng.random()) / max(size, 1)]

    usual_place, usual_hair = SESSIONS.index(session), GENDERS.index(gender)
    people = -(-count // PICTURES_EACH)
    hair = levels("hair", people)
    ages = stage_rng(SEED, "synth", "age", session, group, gender).integers(
        _YOUNGEST, _OLDEST + 1, people
    )
    dealt = zip(levels("expression"), levels("emotion"), levels("place"), strict=True)
    rows: list[Row] = []
    for number, (expression, emotion, place) in enumerate(dealt):
        person = number % people
        shown = EXPRESSIONS[int(expression * len(EXPRESSIONS))]
        row = Row(
            person=start + person,
            group=group,
            gender=gender,
            age=int(ages[person]),
            expression=shown,
            emotion=EMOTIONS[int(emotion * len(EMOTIONS))],
            session=session,
            picture=start + number,
            face=start + person,
            drawn=shown,
            place=PLACES[usual_place ^ (place < _MOVED)],
            hair=HAIRS[usual_hair ^ (hair[person] < _UNUSUAL_HAIR)],
        )
        rows.append(row)
    for at in range(_COPIED - 1, count, _COPIED):
        row, nth = rows[at - 1], at // _COPIED
        other = EXPRESSIONS[(EXPRESSIONS.index(row.expression) + 1) % len(EXPRESSIONS)]
        said = row.expression if nth % 2 == 1 else other
        rows[at] = replace(row, person=start + count - 1 - nth, expression=said, is_copy=True)
    return rows
