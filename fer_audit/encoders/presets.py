"""How well-known networks that people bring as ONNX are fed, and what their numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from fer_audit.encoders.types import Head
from fer_audit.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Contract:
    """What a graph does not say of itself; None and () where it is left to the graph, or not known."""

    size: int | None = None
    layout: Literal["NCHW", "NHWC"] | None = None
    colour: Literal["RGB", "BGR", "grey"] | None = None
    mean: tuple[float, ...] = ()
    """On the 0-255 scale, one a channel or one for all."""
    scale: tuple[float, ...] = ()
    """Multiplied after the mean is gone."""
    task: Literal["embed", "classify"] | None = None
    heads: tuple[Head, ...] = ()
    output: str | None = None
    padded: bool = False
    """Whether it was trained on faces padded to a square, not stretched to one."""
    trained_on: str = ""
    caveat: str = ""

    def filled_from(self, preset: Contract) -> Contract:
        """Return this contract with what it leaves open taken from a preset."""
        mine = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        if self.mean:  # raw bytes have the mean 0, which is no less said
            mine["mean"] = self.mean
        return replace(preset, **mine)


def _words(name: str, words: str) -> Head:
    return Head(name, tuple(words.split()))


_UNIT = Contract(None, None, "RGB", (127.5,), (1 / 127.5,), "classify")
"""Input from -1 to 1."""
_IMAGENET = Contract(
    *(224, None, "RGB", (123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375), "classify")
)

PRESETS: Mapping[str, Contract] = {
    "opencv-mobilefacenet": replace(
        _UNIT,
        size=112,
        heads=(_words("expression", "angry disgust fearful happy neutral sad surprised"),),
        caveat="It was made for faces aligned by five points.",
    ),
    "emotiefflib-b0": replace(
        _IMAGENET,
        heads=(
            _words("expression", "Anger Contempt Disgust Fear Happiness Neutral Sadness Surprise"),
            Head("valence"),
            Head("arousal"),
        ),
        trained_on="AffectNet",
    ),
    "ferplus-8": Contract(
        *(64, None, "grey", (0.0,), (1.0,), "classify"),
        (_words("expression", "neutral happiness surprise sadness anger disgust fear contempt"),),
        trained_on="FER+: accuracy on FER+ and FER2013 is in-sample",
    ),
    "vit-face-expression": replace(
        _UNIT,
        size=224,
        heads=(_words("expression", "angry disgust fear happy neutral sad surprise"),),
    ),
    "fairface-resnet34": replace(
        _IMAGENET,
        heads=(
            Head(
                "race",
                (
                    *("White", "Black", "Latino_Hispanic", "East Asian", "Southeast Asian"),
                    *("Indian", "Middle Eastern"),
                ),
            ),
            Head("gender", ("Male", "Female")),
            _words("age", "0-2 3-9 10-19 20-29 30-39 40-49 50-59 60-69 70+"),
        ),
        trained_on="FairFace",
    ),
}


def preset(name: str) -> Contract:
    """Return the contract of that name; ConfigError names those that exist."""
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}", hint=f"Known: {', '.join(PRESETS)}.")
    return PRESETS[name]
