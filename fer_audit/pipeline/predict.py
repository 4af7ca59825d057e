"""Run a classifier over a set: made and kept as vectors are."""

from __future__ import annotations

import re
from dataclasses import replace

from fer_audit.classify.onnx import predictions_of
from fer_audit.classify.types import Predictions, Said
from fer_audit.dataset.formats.registry import FORMATS
from fer_audit.dataset.types import FaceDataset
from fer_audit.encoders.types import ModelSpec
from fer_audit.errors import ModelError
from fer_audit.pipeline.fingerprints import run_fingerprints
from fer_audit.pipeline.model import facts_of, find_model
from fer_audit.pipeline.predicted_people import ABOUT_PEOPLE
from fer_audit.pipeline.types import Order, Source
from fer_audit.pipeline.vectors import make_vectors


def network_source(order: Order, model: str) -> Source:
    """Return what will run a classifier, by its catalog name or file, on every image of the order's set.

    Cached under a fingerprint of the set, the size, the model and the provider: images are decoded at the model's own size,
    a broken run goes on where it stopped, a device or precision that was asked for is had or is an error. Raises what
    `find_model` does, and ModelError for an encoder, or for a model that would label people of the set that it was trained on.
    """
    config = order.config.having(model=model)
    order = replace(order, config=config)
    found = find_model(order.dataset, config, order.resources, order.progress)
    spec = found.spec
    if spec.task != "classify":
        raise ModelError(
            f"{spec.name} gives an embedding and no classes",
            hint="Give a classifier; fer-audit models lists both kinds.",
        )
    seen = trained_on(spec, order.dataset)
    people = [head.name for head in spec.heads if head.name in ABOUT_PEOPLE]
    if seen and people:
        raise ModelError(
            f"{spec.name} was trained on {seen}: it would give that set's {' and '.join(people)} back to it",
            hint="Use a model that has not seen the set.",
        )
    facts = facts_of(found, order.resources)
    prints = run_fingerprints(order.dataset, facts, spec.size, config)

    def make(*_run: object) -> tuple[Said, ...]:
        order.progress.say(f"predicting with {spec.name}")
        _, vectors = make_vectors(order, found, facts, prints)
        said = predictions_of(vectors, spec)
        if not seen:
            return said
        note = f"It was trained on {seen}: its accuracy here is in-sample, and says nothing of other images."
        return tuple(
            replace(each, notes=(note,)) if isinstance(each, Predictions) else each
            for each in said
        )

    return Source(spec.name, prints.embed, spec.heads, make)


def trained_on(spec: ModelSpec, dataset: FaceDataset) -> str:
    """Return the known set that this one is, by its format or its name, where the model says it was trained on it; else ""."""
    name, training = (
        text.replace("-", "").replace("_", " ") for text in (dataset.name, spec.trained_on)
    )
    for form in FORMATS:
        title = form.title.partition(",")[0]
        plain = re.escape(title.replace("-", ""))
        known = re.compile(rf"(?<!\w){plain}(?![\w+])", re.IGNORECASE)
        is_it = form.name == dataset.format or known.search(name)
        if form.terms and is_it and known.search(training):
            return title
    return ""
