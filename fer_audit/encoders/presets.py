"""How well-known networks that people bring as ONNX are fed, and what their numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from fer_audit.encoders.types import Head
from fer_audit.errors import ConfigError

_BYTES_MEAN = (123.675, 116.28, 103.53)
_BYTES_SCALE = (1 / 58.395, 1 / 57.12, 1 / 57.375)


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
    trained_on: str = ""
    caveat: str = ""

    def filled_from(self, preset: Contract) -> Contract:
        """Return this contract with what it leaves open taken from a preset."""
        mine = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        if self.mean:  # raw bytes have the mean 0, which is no less said
            mine["mean"] = self.mean
        return replace(preset, **mine)


def _unit(colour: Literal["RGB", "grey"], size: int, *heads: Head, trained_on: str) -> Contract:
    """Return a contract whose input lies between -1 and 1."""
    return Contract(
        size, None, colour, (127.5,), (1 / 127.5,), "classify", heads, trained_on=trained_on
    )


PRESETS: Mapping[str, Contract] = {
    "opencv-mobilefacenet": replace(
        _unit(
            "RGB",
            112,
            Head(
                "expression",
                ("angry", "disgust", "fearful", "happy", "neutral", "sad", "surprised"),
            ),
            trained_on="RAF-DB",
        ),
        caveat="It was made for faces aligned by five points.",
    ),
    "emotiefflib-b0": Contract(
        *(224, None, "RGB", _BYTES_MEAN, _BYTES_SCALE, "classify"),
        heads=(
            Head(
                "expression",
                (
                    *("Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral"),
                    *("Sadness", "Surprise"),
                ),
            ),
            Head("valence"),
            Head("arousal"),
        ),
        trained_on="AffectNet",
    ),
    "ferplus-8": Contract(
        *(64, None, "grey", (0.0,), (1.0,), "classify"),
        heads=(
            Head(
                "expression",
                (
                    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust"),
                    *("fear", "contempt"),
                ),
            ),
        ),
        trained_on="FER+: accuracy on FER+ and FER2013 is in-sample",
    ),
    "vit-face-expression": _unit(
        "RGB",
        224,
        Head("expression", ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")),
        trained_on="FER2013, MMI and AffectNet, as its card says",
    ),
    "fairface-resnet34": Contract(
        *(224, None, "RGB", _BYTES_MEAN, _BYTES_SCALE, "classify"),
        heads=(
            Head(
                "race",
                (
                    *("White", "Black", "Latino_Hispanic", "East Asian", "Southeast Asian"),
                    *("Indian", "Middle Eastern"),
                ),
            ),
            Head("gender", ("Male", "Female")),
            Head(
                "age",
                ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+"),
            ),
        ),
        trained_on="FairFace",
    ),
}


def preset(name: str) -> Contract:
    """Return the contract of that name; ConfigError names those that exist."""
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}", hint=f"Known: {', '.join(PRESETS)}.")
    return PRESETS[name]
