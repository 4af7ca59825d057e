"""The page as its source says it: one file, closed to the outside, with landmarks and a name for every picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.report.markup import Element, Markup, accessible_name, read_markup
from tests.report.pages import demo_page

LINKING = ("href", "src", "srcset", "xlink:href", "action", "formaction", "poster", "data", "ping")
FOREIGN = ("link", "iframe", "frame", "object", "embed", "form", "base", "audio", "video")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> str:
    return demo_page(tmp_path_factory.mktemp("page"), tiny_model).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source: str) -> Markup:
    return read_markup(source)


def directives(page: Markup) -> dict[str, str]:
    (policy,) = (
        meta["content"]
        for meta in page.all("meta")
        if meta.get("http-equiv").lower() == "content-security-policy"
    )
    parts = (part.split(maxsplit=1) for part in policy.split(";") if part.strip())
    return {name: value.strip() for name, value in parts}


def charts(page: Markup) -> list[Element]:
    return [each for each in page.all("figure") if "chart" in each.get("class").split()]


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
    assert [
        (element.tag, name)
        for element in page.elements
        for name in element.attributes
        if name.startswith("on")
    ] == []


def test_nothing_is_fetched_and_links_to_the_outside_tell_nobody(page: Markup) -> None:
    assert page.all(*FOREIGN) == []
    for element in page.elements:
        for name in LINKING:
            url = element.get(name)
            if element.tag == "a" and re.match("https?://", url):
                assert "noreferrer" in element.get("rel").split(), url
            else:
                assert re.match("$|#|data:image/", url), f"<{element.tag} {name}={url[:60]!r}>"


def test_no_style_fetches_anything(source: str, page: Markup) -> None:
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


def test_every_chart_has_its_numbers_as_a_table(page: Markup) -> None:
    assert len(charts(page)) >= 3
    for chart in charts(page):
        tables = [table for table in chart.find("table") if table.within("details")]
        name = chart.words[:60]
        assert chart.find("svg") or chart.find("img"), f"{name}: no picture"
        assert tables, f"{name}: no table"
        assert len(tables[0].find("tr")) > 1, f"{name}: an empty table"


def test_tables_name_their_columns_and_details_their_content(page: Markup) -> None:
    for table in page.all("table"):
        heads = table.find("th")
        assert heads, table.words[:60]
        assert all(head.get("scope") in {"col", "row", "colgroup", "rowgroup"} for head in heads)
    for part in page.all("details"):
        assert part.children[0].tag == "summary"
        assert part.children[0].words


def test_the_page_names_no_place_of_this_machine(source: str) -> None:
    assert f"{Path.home()}/" not in source
    assert re.findall("/tmp/pytest-[^ <]*|file://", source) == []
