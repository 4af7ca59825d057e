"""The paper's notebook: Keras' ResNet50, all images in one float64 array of RGB / 255, `predict`.

The weights are those that `fer_audit` reads, set layer by layer: Keras would download the same file.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras  # type: ignore[import-not-found]  # lives in the environment of this baseline only
import numpy as np
import tensorflow  # type: ignore[import-untyped, import-not-found, unused-ignore]  # likewise
from numpy.typing import NDArray

from benchmarks.serving import Job, serve


class Paper(Job):
    """The notebook's steps, from the files to the features."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._files = [Path(setup["faces"]) / name for name in setup["names"]]
        self._size: int = setup["size"]
        self._model = keras.applications.ResNet50(
            weights=None,
            include_top=False,
            pooling="avg",
            input_shape=(self._size, self._size, 3),
        )
        set_weights(self._model, Path(setup["weights"]))
        self._seconds: dict[str, float] = {}
        self.facts = {
            "tensorflow": tensorflow.__version__,
            "keras": keras.__version__,
            "threads": tensorflow.config.threading.get_intra_op_parallelism_threads() or "default",
            "batch": "default (32)",
        }

    def work(self) -> NDArray[np.float32]:
        """Return the (n, 2048) features."""
        started = time.perf_counter()
        images = np.zeros((len(self._files), self._size, self._size, 3))
        for row, file in enumerate(self._files):
            image = keras.utils.load_img(
                file, target_size=(self._size, self._size), interpolation="bicubic"
            )
            images[row] = keras.utils.img_to_array(image) / 255
        loaded = time.perf_counter()
        features: NDArray[np.float32] = self._model.predict(images, verbose=0)
        self._seconds = {
            "load_seconds": loaded - started,
            "predict_seconds": time.perf_counter() - loaded,
        }
        return features

    def details(self) -> dict[str, float]:
        """Return the seconds of loading and of predicting."""
        return self._seconds


def set_weights(model: Any, path: Path) -> None:  # noqa: ANN401 - keras has no types here
    """Fill every convolution and batch normalisation from an .npz of arrays "<layer>/<name>"."""
    arrays = np.load(path, allow_pickle=False)
    filled = 0
    for layer in model.layers:
        names = [variable.name for variable in layer.weights]
        if names:
            layer.set_weights([arrays[f"{layer.name}/{name}"] for name in names])
            filled += len(names)
    if filled != len(arrays.files):
        raise ValueError(f"{len(arrays.files) - filled} arrays have no layer in Keras' network")


if __name__ == "__main__":
    serve(Paper)
