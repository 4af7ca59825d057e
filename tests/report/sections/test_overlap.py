"""How groups lie in the latent space before any clustering."""

from __future__ import annotations

from fer_audit.audit.types.space import LatentOverlap, PairOverlap
from fer_audit.report.sections.groups import overlap
from fer_audit.report.view import View
from tests.report.results import bare, degenerate, utkface
from tests.report.sections.reading import rows, said, tables


def test_neighbours_are_said_with_the_subsample_they_come_from() -> None:
    text = said(overlap(View(utkface())))

    assert (
        "45.2 % of the 10 nearest neighbours are of the same group, 27.1 % if labels are shuffled, p ≤ .001"
        " (3,000 of 23,317 images, 128 principal coordinates)."
    ) in text


def test_each_group_has_its_neighbours_and_spread() -> None:
    section = overlap(View(utkface()))

    table = rows(section, "race: neighbours")

    assert list(table[0].values()) == ["White", "600", "36.0 %", "20.0 %", "38.2"]
    assert list(table[-1].values())[:3] == ["Other", "12", "too few to say"]
    assert tables(section)["race: neighbours"].faint == {4}


def test_pairs_show_what_may_be_chance_in_brackets() -> None:
    table = rows(overlap(View(utkface())), "race: all 6 pairs")

    assert {row["groups"]: (row["AUC"], row["distance"]) for row in table} == {
        "White and Black": ("(.530)", "0.31"),
        "White and Asian": (".590", "0.36"),
        "White and Indian": (".650", "0.41"),
        "Black and Asian": (".710", "0.46"),
        "Black and Indian": (".770", "0.51"),
        "Asian and Indian": (".830", "0.56"),
    }


def test_of_many_pairs_the_most_different_come_first_and_all_are_in_the_details() -> None:
    names = [f"group {index:02d}" for index in range(14)]
    pairs = tuple(
        PairOverlap("first", name, 40, 40, 0.5 + 0.03 * i, 0.5, 0.55, 0.005, 0.005, 199, 1.0, 0.1)
        for i, name in enumerate(names)
    )
    latent = LatentOverlap("job", 600, 600, 128, 10, 0.2, 0.1, 0.001, 999, (), pairs)

    section = overlap(View(bare().having(latent=(latent,))))

    shown = [row["groups"] for row in rows(section, "job: pairs with the largest AUC")]
    assert shown == [f"first and group {n}" for n in (13, 12, 11, 10, "09")]
    assert len(rows(section, "job: all 14 pairs")) == 14
    assert tables(section)["job: all 14 pairs"].importance == "detail"


def test_what_could_not_be_computed_says_why() -> None:
    text = said(overlap(View(degenerate())))

    assert "race: not computable (0 images in the subsample are too few)." in text
    assert overlap(View(bare())) is None
