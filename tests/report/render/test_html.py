"""The page as its source says it: one file, closed to the outside, with landmarks and a name for every picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.blocks import Links, Statement, Statements
from fer_audit.report.files.document import parse_result, result_json
from fer_audit.report.render.html import render_fragment, render_page
from fer_audit.report.report import make_report
from fer_audit.report.view import View
from tests.report import pages
from tests.report.drawn_pictures import some_pictures
from tests.report.markup import Element, Markup, accessible_name, read_markup
from tests.report.render.specimen import MAKERS, STATES, report_of, section_of, specimen
from tests.report.results import timings, utkface

LINKING = ("href", "src", "srcset", "xlink:href", "action", "formaction", "poster", "data", "ping")
FOREIGN = ("link", "iframe", "frame", "object", "embed", "form", "base", "audio", "video")
OURS = re.compile(r"lists/[a-z_]+\.(csv|txt)|result\.json|rows\.parquet")
"""Files of a run directory."""
ALARM = "UNFINISHED: do not quote it."
FULL = make_report(View(utkface(), some_pictures(), timings()))
SOURCES = {"run": render_page(FULL), "specimen": render_page(specimen(alarm=ALARM))}
WORDS = " ".join(pages.EVIL)


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    """Give the page of a made-up run, and one with every kind of block."""
    return SOURCES[request.param]


@pytest.fixture
def page(source: str) -> Markup:
    return read_markup(source)


@pytest.fixture(scope="module")
def figures() -> Markup:
    return read_markup(SOURCES["specimen"])


def directives(page: Markup) -> dict[str, str]:
    (policy,) = (
        meta["content"]
        for meta in page.all("meta")
        if meta.get("http-equiv").lower() == "content-security-policy"
    )
    parts = (part.split(maxsplit=1) for part in policy.split(";") if part.strip())
    return {name: value.strip() for name, value in parts}


def captioned(page: Markup, caption: str) -> Element:
    (table,) = (each for each in page.all("table") if each.find("caption")[0].words == caption)
    return table


def test_the_policy_lets_nothing_in_but_what_the_file_holds(page: Markup) -> None:
    found = directives(page)

    script = found.pop("script-src", "'none'")
    assert re.fullmatch(r"'none'|'nonce-[A-Za-z0-9+/=_-]{16,}'", script)
    assert found == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_policy_stands_before_everything_it_rules(page: Markup) -> None:
    tags = [element.tag for element in page.elements]
    policy = next(i for i, each in enumerate(page.elements) if each.get("http-equiv"))

    assert not {"script", "style", "link", "img", "svg"} & set(tags[:policy])


def test_every_script_is_ours(page: Markup) -> None:
    nonce = directives(page).get("script-src", "").removeprefix("'nonce-").removesuffix("'")

    assert all(script.attributes == {"nonce": nonce} for script in page.all("script"))
    names = [name for element in page.elements for name in element.attributes]
    assert [name for name in names if name.startswith("on")] == []


def test_nothing_is_fetched_and_links_to_the_outside_tell_nobody(page: Markup) -> None:
    assert page.all(*FOREIGN) == []
    saved = [each for each in page.all("a") if "download" in each.attributes]
    assert [each["href"] for each in saved if not OURS.fullmatch(each["href"])] == []
    for element in page.elements:
        for name in LINKING:
            url = element.get(name)
            if element in saved:
                continue
            if element.tag == "a" and re.match("https?://", url):
                assert "noreferrer" in element.get("rel").split(), url
            else:
                assert re.match("$|#|data:image/", url), f"<{element.tag} {name}={url[:60]!r}>"


def test_no_style_fetches_anything(page: Markup) -> None:
    styles = [each.text for each in page.all("style")]
    styles += [value for each in page.elements for value in each.attributes.values()]

    for style in styles:
        assert "@import" not in style
        assert re.findall(r"url\(\s*['\"]?(?!#|data:image/)[^)]*", style) == []


def test_ids_are_unique_and_every_reference_finds_its_element(page: Markup) -> None:
    ids = [element["id"] for element in page.elements if "id" in element.attributes]
    refers = ("aria-labelledby", "aria-describedby", "aria-controls", "aria-details", "for")
    wanted = [name for each in page.elements for key in refers for name in each.get(key).split()]
    wanted += [
        url[1:]
        for each in page.elements
        for key in ("href", "xlink:href")
        if (url := each.get(key)).startswith("#")
    ]
    wanted += [
        name
        for each in page.elements
        for value in each.attributes.values()
        for name in re.findall(r"url\(#([^)]*)\)", value)
    ]

    assert sorted({name for name in ids if ids.count(name) > 1}) == []
    assert sorted(set(wanted) - set(ids)) == []


def test_the_head_says_language_letters_title_and_width(page: Markup) -> None:
    (html,), (title,) = page.all("html"), [t for t in page.all("title") if t.within("head")]
    metas = {meta.get("name"): meta.get("content") for meta in page.all("meta")}

    assert [each.lower() for each in page.declarations] == ["doctype html"]
    assert html["lang"] == "en"
    assert title.words
    assert page.all("meta")[0]["charset"].lower() == "utf-8"
    assert "width=device-width" in metas["viewport"]
    assert "user-scalable" not in metas["viewport"]
    assert set(metas["color-scheme"].split()) == {"light", "dark"}


def test_one_main_one_title_and_headings_that_skip_no_level(page: Markup) -> None:
    headings = page.all("h1", "h2", "h3", "h4", "h5", "h6")
    levels = [int(heading.tag[1]) for heading in headings]

    assert len(page.all("main")) == 1
    assert levels.count(1) == 1
    assert levels[0] == 1
    for heading, before, level in zip(headings[1:], levels, levels[1:], strict=False):
        assert level <= before + 1, f"<{heading.tag}> {heading.words} follows an h{before}"
    assert all(heading.words for heading in headings)


def test_every_picture_has_a_name(page: Markup) -> None:
    for image in page.all("img"):
        assert "alt" in image.attributes, image.attributes
        assert image["alt"] or image.get("role") == "presentation"
    for svg in page.all("svg"):
        if svg.within("figure"):
            assert svg.get("role") == "img"
            assert accessible_name(page, svg)
        else:
            assert svg.get("aria-hidden") == "true" or accessible_name(page, svg)


def test_every_chart_is_a_picture_and_every_table_in_one_has_rows(page: Markup) -> None:
    charts = [each for each in page.all("figure") if "chart" in each.get("class").split()]

    assert len(charts) >= 2
    for chart in charts:
        assert chart.find("svg") or chart.find("img"), chart.words[:60]
        for table in chart.find("table"):
            assert table.within("details")
            assert len(table.find("tr")) > 1, f"{chart.words[:60]}: an empty table"


def test_tables_name_their_columns_and_details_their_content(page: Markup) -> None:
    for table in page.all("table"):
        heads = table.find("th")
        assert heads, table.words[:60]
        assert table.find("caption")[0].words
        assert all(head.get("scope") in {"col", "row", "colgroup", "rowgroup"} for head in heads)
    for part in page.all("details"):
        assert part.children[0].tag == "summary"
        assert part.children[0].words


def test_every_text_of_every_block_is_on_the_page() -> None:
    roles = []

    def noted(role: str) -> str:
        roles.append(role)
        return role

    source = render_page(specimen(noted))

    only_drawn = {"bar column", "interval column", "map caption"}
    assert {role for role in roles if role not in source} == only_drawn
    assert {"chart note", "heading in a card", "legend group"} <= set(roles)


def test_what_is_important_is_open_and_details_are_folded(figures: Markup) -> None:
    assert not captioned(figures, "table title").within("details")
    assert captioned(figures, "folded table").within("details")


def test_a_finding_has_its_list_and_leads_to_the_section_that_shows_it() -> None:
    items = {
        each.find("p")[0].words: each
        for each in read_markup(SOURCES["run"]).all("li")
        if each.get("class") in ("fix", "know", "fine")
    }
    keys = {section.key for section in FULL.sections}

    for each in utkface().findings:
        links = [link["href"] for link in items[f"{each.severity} {each.text}"].find("a")]
        assert [link for link in links if not link.startswith("#")] == [each.files] * bool(
            each.files
        )
        assert {link[1:] for link in links if link.startswith("#")} <= keys
    copies = items["fix 390 files are exact copies of another."]
    assert [link["href"] for link in copies.find("a")] == ["#copies", "lists/drop_copies.txt"]


def test_a_section_that_is_not_there_and_a_file_that_is_not_ours_are_no_links() -> None:
    places = (
        *("javascript:alert(1)", "//example.org/lists/a.csv", "lists/../../a.csv"),
        *("lists/a.csv\n", "a/lists/a.csv"),
    )
    said = [Statement("fix", "text.", "figures", "do", place, shown="nowhere") for place in places]
    report = section_of(
        Statements((*said, Statement("fix", "text.", shown="one"))),
        Links(tuple((x, x) for x in places)),
    )

    page = read_markup(render_page(report))

    assert [each["href"] for each in page.all("main")[0].find("a")] == ["#one"]
    assert all(pages.is_shown(place, page.text) for place in places)
    fragment = render_fragment(make_report(View(utkface())))
    assert "lists/conflicts.csv" in fragment
    assert read_markup(f"<body>{fragment}</body>").all("a") == [], "a notebook lies elsewhere"


def test_a_strength_is_a_bar_with_what_is_left_of_it() -> None:
    claims = sorted((x for x in utkface().claims), key=lambda x: -(x.v_corrected or 0))
    bars = [
        each for each in read_markup(SOURCES["run"]).all("span") if each.get("class") == "strength"
    ]

    assert [bar.words for bar in bars] == [".31", ".25", ".21"]
    for bar, claim in zip(bars, claims, strict=True):
        kept = next(each.kept for each in claim.left if each.level == "crawl hour")
        assert bar.find("i")[0]["style"] == f"width:{100 * (claim.v_corrected or 0):.1f}%"
        assert (
            bar.find("b")[0]["style"]
            == f"width:{100 * (claim.v_corrected or 0) * (kept or 0):.1f}%"
        )


def test_cells_are_marked_as_their_table_says(figures: Markup) -> None:
    table = captioned(figures, "table title")
    heads, *rows = table.find("tr")

    assert [(cell.words, cell.get("class")) for cell in heads.find("th")] == [
        ("first column", ""),
        ("number column", "right"),
        ("sign column", ""),
        ("climb column", ""),
    ]
    assert [row.get("class") for row in rows] == ["", "few", "", "total"]
    for row, state, sign in zip(rows, STATES, "✓✗?○", strict=True):
        name, number, signed, _ = (cell for cell in row.children if cell.tag in ("th", "td"))
        assert (name.tag, name["scope"], name.words) == ("th", "row", f"row {state}")
        assert (number.words, number["class"]) == ("1,234", "right")
        assert signed.words == f"{sign} {state} sign"


def test_each_bar_of_a_small_ladder_is_the_answer_of_its_step(figures: Markup) -> None:
    climbs = [each for each in figures.all("span") if each.get("class") == "rungs"]

    assert len(climbs) == len(STATES)
    for climb in climbs:
        assert tuple(bar["class"] for bar in climb.find("i")) == STATES
        assert climb["aria-label"] == "climb in words"


@pytest.mark.parametrize("make", MAKERS)
def test_every_result_has_a_page_with_all_its_sections(make: Callable[[], AuditResult]) -> None:
    report = report_of(make)
    page = read_markup(render_page(report))

    assert [each.get("id") for each in page.all("section")] == [s.key for s in report.sections]
    assert "nan" not in page.text.lower().split()
    assert "None" not in page.text.split()


def test_a_page_is_made_from_the_json_of_its_result_alone() -> None:
    again = parse_result(result_json(utkface()))

    page = render_page(make_report(View(again, some_pictures(), timings())))

    assert page == SOURCES["run"]


def test_unfinished_work_says_so_before_anything_else() -> None:
    text = read_markup(SOURCES["specimen"]).text

    assert text.index(ALARM) < text.index("section of words")
    assert 'role="alert"' not in SOURCES["run"]
    assert "INCOMPLETE" in render_page(make_report(View(replace(utkface(), complete=False))))


def test_a_notebook_gets_the_most_important_blocks_without_a_script() -> None:
    fragment = render_fragment(specimen(alarm=ALARM))

    page = read_markup(f"<body>{fragment}</body>")
    assert {"summary prose", "section of words"} <= {each.words for each in page.all("p", "h4")}
    assert ALARM in page.text
    assert "a heading" not in page.text
    assert "section of figures" not in page.text
    assert page.all("script", "style", "html") == []
    assert "table title" in render_fragment(specimen(), "normal")


def evil(role: str) -> str:
    return f"{role} {WORDS}"


def harmless(role: str) -> str:
    return f"{role} {pages.harmless(WORDS)}"


HOSTILE = {
    naming: render_page(specimen(naming, alarm=naming("alarm"))) for naming in (evil, harmless)
}


def test_no_name_becomes_an_element_or_an_attribute() -> None:
    """Both pages have the same kinds of elements, as often: a tag and the names of its attributes."""
    first, second = (page.kinds for page in map(read_markup, HOSTILE.values()))

    added = {kind: first[kind] - second[kind] for kind in {**first, **second}}

    assert {kind: n for kind, n in added.items() if n} == {}


def test_every_name_is_read_as_text() -> None:
    text = read_markup(HOSTILE[evil]).text

    assert [name for name in pages.EVIL if not pages.is_shown(name, text)] == []


def test_no_character_moves_turns_or_hides_text() -> None:
    assert sorted(set(pages.RAW.findall(HOSTILE[evil]))) == []


def test_a_name_is_never_part_of_a_script_or_a_style() -> None:
    """What stands in these elements is not text: no escape is right there."""
    scripts = [
        [each.text for each in page.all("script", "style")]
        for page in map(read_markup, HOSTILE.values())
    ]

    same = scripts[0] == scripts[1]  # pytest would take minutes to compare them letter by letter
    assert same
