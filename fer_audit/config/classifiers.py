"""Whose predictions are audited."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.errors import ConfigError

METHODS = ("svm", "linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierSettings:
    """Whose predictions are audited."""

    predict: tuple[str, ...] = ()
    """Classifiers to run on every image: names of the catalog, or .onnx files with their sidecars."""
    predictions: tuple[str, ...] = ()
    """Tables of predictions that somebody made, each TABLE, or MAP=TABLE where they are of another scheme than expression8."""
    predicted_column: str | None = None
    """Their column of predicted classes; None = found by its usual names."""
    classify: tuple[str, ...] = ()
    """Classifiers to fit on the run's own vectors and expression labels, each image predicted by one that has not seen it: svm,
    linear."""

    def __post_init__(self) -> None:
        """Refuse a method that does not exist, and what is given twice."""
        for name in ("predict", "predictions", "classify"):
            given = getattr(self, name)
            if not all(given) or len(set(given)) != len(given):
                raise ConfigError(f"{name} has an empty name or one twice: {', '.join(given)}")
        for method in self.classify:
            if method not in METHODS:
                raise ConfigError(
                    f"classify is {method!r}; it must be {' or '.join(METHODS)}",
                )
