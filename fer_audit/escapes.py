"""What a stranger named, as text that does nothing: the one place that says which characters are shown as escapes."""

from __future__ import annotations

import unicodedata

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
    whole = encodable(text)
    return "".join(
        char if char in _JOINERS and _joins(whole, place) else _escape(char)
        for place, char in enumerate(whole)
    )


def visible_json(text: str) -> str:
    r"""Return the same JSON document, fit for a terminal: what it may hold raw and cannot be seen becomes `\uNNNN`.

    JSON itself asks for escapes below U+0020 only, and leaves C1 and bidi controls as they are.
    """
    return "".join(char if char == "\n" else _escape_in_json(char) for char in text)


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands between two characters that can be joined: visible ones beyond ASCII."""
    beside = text[place - 1 : place] + text[place + 1 : place + 2]
    return len(beside) == 2 and not any(
        char.isascii() or unicodedata.category(char) in _ESCAPED for char in beside
    )


def _escape(char: str) -> str:
    if unicodedata.category(char) not in _ESCAPED:
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escape_in_json(char: str) -> str:
    if unicodedata.category(char) not in _ESCAPED:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
