"""Every number, unit, plural, interval, p, display name and escape: one function for each, used by all output.

A kind of number has one format everywhere: shares are percent with one digit ("31.2 %"), what cannot exceed 1 has three
digits and no zero (".185"), p is "p = .042" or "p < .001", intervals join their ends with a dash, or "to" where one is negative.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

NONE = "not computable"
NO_VALUE = "–"  # in a table
WITHHELD = "[c]"
"""In place of a count that --min-cell withholds: c = confidential (UK Government Analysis Function). "<5" would tell more."""


def _joined(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    """Write an interval; with "to" where a minus sign would confuse."""
    if low is None or high is None:
        return NONE
    return (" to " if low < 0 or high < 0 else "-").join(map(write, (low, high)))


def whole(count: int | None) -> str:
    """Write a count: 23,707; None = withheld."""
    return WITHHELD if count is None else f"{count:,}"


def counted(count: int | None, one: str, many: str = "") -> str:
    """Write a count and its noun: 1 file, 2 files; None = withheld."""
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """Write a share of 0..1: 31.2 %. What would round to nothing is < 0.1 %, what would round to all > 99.9 %."""
    if share is None:
        return NONE
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def whole_percent(share: float) -> str:
    """Write a share where digits would not fit or say nothing: on an axis, in a bar: 31 %."""
    return f"{100 * share:.0f} %"


def level(confidence: float) -> str:
    """Write the level of an interval: 95 %, 99.9 %."""
    return f"{100 * confidence:g} %"


def part(count: int, total: int) -> str:
    """Write a share with its counts: 31.2 % (6,240 of 20,000)."""
    return f"{percent(count / total)} ({whole(count)} of {whole(total)})"


def percent_span(low: float | None, high: float | None) -> str:
    """Write an interval of shares in per cent: 79.0-89.2."""
    return _joined(low, high, lambda share: f"{100 * share:.1f}")


def share_text(
    share: float | None, count: int | None, low: float | None, high: float | None
) -> str:
    """Write a share with its count and its interval: 31.2 % (6,240; 30.6-31.9); [c] where the count is withheld."""
    if count is None:
        return WITHHELD
    if share is None or low is None or high is None:
        return f"{percent(share)} ({whole(count)})"
    return f"{percent(share)} ({whole(count)}; {percent_span(low, high)})"


def difference(value: float) -> str:
    """Write a difference of shares in points: +1.2, 0.0."""
    return f"{100 * value:+.1f}" if value else "0.0"


def difference_span(low: float | None, high: float | None) -> str:
    """Write an interval of such a difference: -0.3 to +2.1."""
    return NONE if low is None or high is None else f"{100 * low:+.1f} to {100 * high:+.1f}"


def coefficient(value: float | None, digits: int = 3) -> str:
    """Write what cannot exceed 1, as journals do, without the zero: .010, 1.000, < .001, > .999.

    A fourth digit is for cosines, all of which are near 1.
    """
    if value is None:
        return NONE
    text, least = f"{value:.{digits}f}", f".{'1':0>{digits}}"
    if value and float(text) == 0:
        return f"< {least}" if value > 0 else f"> -{least}"
    if float(text) == 1 and value < 1 - 1e-9:
        return f"> .{'9' * digits}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def span(low: float | None, high: float | None, digits: int = 3) -> str:
    """Write an interval of coefficients: .000-.061."""
    zero = f".{0:0{digits}}"
    return _joined(
        low, high, lambda x: coefficient(y, digits) if (y := round(x, digits)) else zero
    )


def p_text(p: float | None, *, at_most: bool = False) -> str:
    """Write a p value: .423, < .001, > .999, and ≤ .010 where more shuffles might give a smaller one: see `unreached`."""
    if p is None:
        return NONE
    if p < 0.001:
        return "< .001"
    text = "> .999" if p > 0.999 else coefficient(p)
    return f"≤ {text}" if at_most and p < 1 else text


def p_phrase(p: float | None, *, at_most: bool = False) -> str:
    """Write a p value inside a sentence: p = .423, p < .001, p ≤ .010."""
    text = p_text(p, at_most=at_most)
    return f"p {text}" if p is None or text[0] in "<>≤" else f"p = {text}"


def unreached(p: float | None, draws: int) -> bool:
    """Return whether a permutation p is the least that so many shuffles can give: none of them reached what was seen."""
    return p is not None and draws > 0 and p * (draws + 1) < 1.5


def number(value: float | None, digits: int = 2) -> str:
    """Write an index: 4.25, 1,234.50."""
    return NONE if value is None else f"{value:,.{digits}f}"


def number_span(low: float | None, high: float | None, digits: int = 2) -> str:
    """Write an interval of an index: 0.79-1.25."""
    return _joined(low, high, lambda end: number(end, digits))


def two_figures(count: int) -> str:
    """Write an estimate of which two figures are known: 210,000."""
    return f"{round(count, -max(0, len(str(count)) - 2)):,}"


def signed(value: float, digits: int = 1) -> str:
    """Write a residual with its sign: +4.2, -0.3."""
    return f"{value:+,.{digits}f}"


def measured(value: float | None) -> str:
    """Write a quantity of any unit with about three figures: 412, 41.2, 4.12, 0.412."""
    if value is None:
        return NONE
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def six_figures(value: float) -> str:
    """Write a value of any unit that is compared with a threshold, with up to six figures: 0.2127, 23,707."""
    return f"{value:,.6g}"


def large(value: float) -> str:
    """Write an inertia: 8,409,500, and 8.4095e+12 where separators no longer help."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e10 else f"{value:.5g}"


def size_text(size_bytes: float) -> str:
    """Write a size as a person reads it: 3.92 GB, 8.1 MB, 34 kB."""
    if size_bytes < 1e5:
        return f"{size_bytes / 1e3:.0f} kB"
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """Write how long something took: 42 s, 17 min 29 s, 2 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s" if rest >= 10 else f"{seconds:.1f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def or_dash(value: float | None, write: Callable[[float], str]) -> str:
    """Write a value of a table, a dash where there is none."""
    return NO_VALUE if value is None else write(value)


def or_empty(value: float | None, write: Callable[[float], str]) -> str:
    """Write a value of a table, nothing where there is none."""
    return "" if value is None else write(value)


def because(not_computable: tuple[tuple[str, str], ...]) -> str:
    """Write "not computable (reason)", each reason once."""
    reasons = dict.fromkeys(reason for _, reason in not_computable)
    return f"{NONE} ({'; '.join(reasons)})" if reasons else NONE


MAX_NAME = 300
"""Characters of a name in a sentence: a file's name has at most 255 bytes, a cell may have millions."""
MAX_NAMED = 3
"""Files a sentence names before it says how many more there are."""


_DISPLAYED = {
    "age_bin": "age group",
    "crawl_day": "collection day",
    "crawl_hour": "collection hour",
    "crawl_ten_minutes": "ten minutes of collection",
    "crawl_minute": "collection minute",
    "luma_mean": "brightness",
    "luma_std": "contrast",
}
"""What readers call what our own readers and measures name otherwise."""


def display(name: str) -> str:
    """Write an attribute's or a measure's name as words: age group."""
    return _DISPLAYED.get(name) or name.replace("_", " ")


_RAW = re.compile(rf"\b({'|'.join(_DISPLAYED)})\b")


def displayed(text: str) -> str:
    """Write the names in a text of several as `display` writes them: cells of age group x cluster."""
    return _RAW.sub(lambda found: _DISPLAYED[found[0]], text)


def name_meant(asked: str, names: Iterable[str]) -> str:
    """Return the one of the names that `asked` is or is displayed for; `asked` itself where there is none."""
    return next((x for x in names if asked == x), "") or next(
        (x for x in names if asked == display(x)), asked
    )


_FRACTIONS = (
    (0.035, "almost none"), (0.075, "a twentieth"), (0.15, "a tenth"), (0.225, "a fifth"), (0.29, "a quarter"), (0.417, "a third"),
    (0.583, "half"), (0.71, "two thirds"), (0.8, "three quarters"), (0.92, "most"), (1.0, "nearly all"),
)  # fmt: skip


def about(share: float) -> str:
    """Write a share of 0..1 as a fraction in words, to stand before "of": about a quarter, half, nearly all."""
    return next((words for limit, words in _FRACTIONS if share < limit), "all")


def at_least_one(value: float | None) -> str:
    """Write a bound of a coefficient with two digits, rounded up so that it stays a bound: .03, .01."""
    return NONE if value is None else coefficient(max(math.ceil(value * 100 - 1e-9), 1) / 100, 2)


def rounded_percent(share: float) -> str:
    """Write a share in a sentence that needs no more than two figures: 43 %, 0.8 %, < 0.1 %."""
    return whole_percent(share) if 0.01 <= share <= 0.99 else percent(share)


def sentence(text: str) -> str:
    """Return the text with a capital at its start."""
    return text[:1].upper() + text[1:]


def listed(words: Sequence[str], last: str = "and") -> str:
    """Write a list: a, b and c."""
    return f" {last} ".join([*([", ".join(words[:-1])] if words[:-1] else []), *words[-1:]])


def name_some(items: Sequence[str], *, limit: int = MAX_NAMED) -> str:
    """Write the first few names, quoted, then how many more there are."""
    names = map(encodable, items[:limit])
    cut = (name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…" for name in names)
    shown, more = ", ".join(f'"{name}"' for name in cut), len(items) - limit
    return f"{shown} and {whole(more)} more" if more > 0 else shown


_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, turn the writing direction, or cannot be seen or encoded."""
_JOINERS = "\u200c\u200d"
"""Persian and Indic words and many emoji need them; anywhere else they make two names that look like one."""


def encodable(text: str) -> str:
    r"""Return a text that any UTF-8 writer accepts: undecodable bytes and lone surrogates become `\xNN`, `\uNNNN`."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # no file name decodes to it, but the JSON "\ud800" does
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def visible(text: str) -> str:
    r"""Return a text that a terminal only prints: ESC, newlines, bidi controls and the like become `\xNN`, `\uNNNN`.

    Every path, group name, file id and sentence passes through here on its way to a terminal, a page or a card.
    """
    if text.isascii() and text.isprintable():
        return text
    text = encodable(text)
    return "".join(
        char if char in _JOINERS and _joins(text, index) else _escape(char, as_python=True)
        for index, char in enumerate(text)
    )


def visible_json(text: str) -> str:
    r"""Return the same JSON document for a terminal: what cannot be seen becomes `\uNNNN`.

    JSON itself asks for escapes below U+0020 only, and leaves C1 and bidi controls as they are.
    """
    return "".join(char if char == "\n" else _escape(char) for char in text)


def clipped(text: str, limit: int) -> str:
    """Return a visible text of at most `limit` characters, its middle left out: both ends of a path say most."""
    shown = visible(text)
    if len(shown) <= limit:
        return shown
    tail = (limit - 1) // 2
    return f"{shown[: limit - 1 - tail]}…{shown[len(shown) - tail :]}"


def _joins(text: str, index: int) -> bool:
    """Whether a joiner stands between two characters that can be joined: visible ones beyond ASCII."""
    around = text[index - 1 : index] + text[index + 1 : index + 2]
    return len(around) == 2 and not any(
        char.isascii() or unicodedata.category(char) in _ESCAPED for char in around
    )


def _escape(char: str, *, as_python: bool = False) -> str:
    """Return a character, one that cannot be seen as Python's escape or as JSON's: UTF-16 units."""
    if unicodedata.category(char) not in _ESCAPED:
        return char
    if as_python:
        width, letter = next(x for x in ((2, "x"), (4, "u"), (8, "U")) if ord(char) < 16 ** x[0])
        return f"\\{letter}{ord(char):0{width}x}"
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
