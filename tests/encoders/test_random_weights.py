"""The network that was never trained: always the same, of the real one's shape, and with numbers that stay in range."""

from __future__ import annotations

import numpy as np
import onnxruntime

from fer_audit.audit.types.compare import FLOOR
from fer_audit.encoders.catalog import CATALOG, catalog_entry
from fer_audit.encoders.resnet50 import build_resnet50, random_resnet50


def test_it_embeds_images_and_tells_them_apart() -> None:
    spec = catalog_entry("resnet50-random").spec
    images = np.zeros((2, 224, 224, 3), np.uint8)
    images[1, :112] = 255

    graph = build_resnet50(random_resnet50(), spec)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    (vectors,) = session.run(None, {session.get_inputs()[0].name: images})

    assert vectors.shape == (2, spec.dim)
    assert np.isfinite(vectors).all()
    assert 0 < np.abs(vectors).max() < 1e5
    assert np.corrcoef(vectors)[0, 1] < 0.999


def test_its_weights_are_the_same_every_time_and_have_the_parameters_of_resnet50() -> None:
    one, two = random_resnet50(), random_resnet50()

    assert all(np.array_equal(one[layer].kernel, two[layer].kernel) for layer in one)
    assert sum(each.kernel.size for each in one.values()) == 23_454_912


def test_only_networks_that_were_never_trained_are_the_floor() -> None:
    floors = [x.spec.name for x in CATALOG if x.spec.name.endswith(FLOOR)]

    assert floors == ["resnet50-random"]
    assert catalog_entry(floors[0]).spec.trained_on == "nothing"
