"""HTML read into a flat list of elements, strictly: what was not opened is not closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(
    "area base br col embed hr img input link meta source track wbr".split()  # noqa: SIM905 - words read better as words
)
"""HTML's elements without an end tag."""

Kind = tuple[str, tuple[str, ...]]
"""A tag and the sorted names of its attributes: all of an element that a label must not change."""


@dataclass(eq=False)
class Element:
    """One element: its own text and that of everything in it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = field(repr=False)
    children: list[Element] = field(default_factory=list, repr=False)
    parts: list[str | Element] = field(default_factory=list, repr=False)
    """Texts and children in order."""

    @property
    def text(self) -> str:
        """All text in this element."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str) -> str:
        """Return an attribute, empty where there is none."""
        return self.attributes.get(name, "")

    @property
    def ancestors(self) -> Iterator[Element]:
        """The elements around this one, from the inside out."""
        around = self.parent
        while around is not None:
            yield around
            around = around.parent

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())

    @property
    def kind(self) -> Kind:
        return self.tag, tuple(sorted(self.attributes))

    def within(self, tag: str) -> bool:
        return any(around.tag == tag for around in self.ancestors)

    def find(self, tag: str) -> list[Element]:
        """Return the elements of a tag in this one, in order."""
        found = []
        for child in self.children:
            if child.tag == tag:
                found.append(child)
            found += child.find(tag)
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.declarations: list[str] = []

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        line, column = self.getpos()
        inner = self.open[-1].tag if self.open else "nothing"
        assert inner == tag, f"line {line}:{column} closes {tag}, but {inner} is open"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1].parts.append(data)

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> has an attribute twice: {names}"
        parent = self.open[-1] if self.open else None
        element = Element(tag, {name: value or "" for name, value in attrs}, parent)
        if parent is not None:
            parent.children.append(element)
            parent.parts.append(element)
        self.elements.append(element)
        return element


@dataclass(frozen=True)
class Markup:
    """A page as its source says it, before any browser mends it."""

    elements: tuple[Element, ...]
    """All of them, in the order of their start tags."""
    declarations: tuple[str, ...]

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def by_id(self, name: str) -> Element:
        (found,) = (element for element in self.elements if element.get("id") == name)
        return found

    @property
    def text(self) -> str:
        """What a person can read: the body without scripts and styles."""
        (body,) = self.all("body")
        return _read(body)

    @property
    def kinds(self) -> Counter[Kind]:
        return Counter(element.kind for element in self.elements)


def read_markup(html: str) -> Markup:
    """Parse a document. Raises AssertionError where its tags do not nest."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"never closed: {[element.tag for element in reader.open]}"
    return Markup(tuple(reader.elements), tuple(reader.declarations))


def _read(element: Element) -> str:
    if element.tag in ("script", "style"):
        return ""
    return "".join(part if isinstance(part, str) else _read(part) for part in element.parts)


def accessible_name(page: Markup, element: Element) -> str:
    """Return what a screen reader calls a picture: its label, or its title."""
    if element.get("aria-labelledby"):
        return " ".join(page.by_id(name).words for name in element["aria-labelledby"].split())
    titles = [child.words for child in element.children if child.tag == "title"]
    return element.get("aria-label") or element.get("alt") or " ".join(titles[:1])
