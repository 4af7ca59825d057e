"""How numbers are written in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def percent(value: float) -> str:
    """Return 0.1234 as "12.3 %"; what is not nothing is not written as 0.0 %."""
    if 0 < value < 0.0005:
        return "under 0.1 %"
    if 0.9995 <= value < 1:
        return "over 99.9 %"
    return f"{100 * value:.1f} %"


def part(count: int, total: int) -> str:
    """Return a share with its count, "31.2 % (6,240 of 20,000)"."""
    return f"{percent(count / total)} ({count:,} of {total:,})"


def p_value(p: float) -> str:
    """Return "p = 0.42", or the power of ten that a tiny p is below."""
    if p >= 0.001:
        return f"p = {p:.2g}"
    return f"p = {p:.1e}" if p > 0 else "p < 1e-300"


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Return "1 image", "2,000 images"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b", "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def spoken(name: str) -> str:
    """Return an attribute's name as words."""
    return name.replace("_", " ")


def sentence(text: str) -> str:
    """Return the text with a capital at its start."""
    return text[:1].upper() + text[1:]
