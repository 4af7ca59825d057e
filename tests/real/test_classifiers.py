"""Known figures of classifiers on real faces: CK+48, and every 12th image of UTKFace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.classify.heldout import Apart, held_out_predictions
from fer_audit.classify.types import Predictions, Predictor
from fer_audit.cluster.threads import single_threaded
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.maps import MAPS, GroupMap
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import Embeddings
from fer_audit.errors import ModelError
from fer_audit.pipeline.model import job_of
from fer_audit.pipeline.predictions import network_source
from fer_audit.pipeline.types import Order, Stopwatch
from fer_audit.pipeline.vectors import make_vectors
from fer_audit.progress import Silent
from tests.known import known

pytestmark = pytest.mark.real
NOTHING: Any = (None, None)
(EIGHT,) = (each for each in MAPS if each.name == "expression8" and isinstance(each, GroupMap))
Ask = Callable[[FaceDataset, str], Order]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Give orders with the user's own cache of vectors."""

    def order(dataset: FaceDataset, model: str) -> Order:
        out = tmp_path_factory.mktemp("run")
        resources = Resources(device="cpu")
        cache = Path(os.environ.get("FER_AUDIT_REAL_CACHE", Path.home() / ".cache" / "fer-audit"))
        return Order(
            *(dataset, out, cache, AuditConfig.of(model=model), resources, ReportSettings()),
            csv=False,
            progress=Silent(),
            watch=Stopwatch(Silent(), "report"),
        )

    return order


@pytest.fixture(scope="module")
def ckplus() -> FaceDataset:
    folder = Path(
        os.environ.get("FER_AUDIT_CKPLUS48", Path.home() / ".cache" / "ckplus48" / "CK+48")
    )
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    dataset = load_dataset(folder)
    assert len(dataset) == 981
    assert np.count_nonzero(dataset.attribute("subject").counts()) == 118
    return dataset


@pytest.fixture(scope="module")
def twelfth(tmp_path_factory: pytest.TempPathFactory) -> FaceDataset:
    folder = Path(os.environ.get("FER_AUDIT_UTKFACE", Path.home() / ".cache" / "UTKFace"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    some = tmp_path_factory.mktemp("real") / "UTKFace"
    some.mkdir()
    for name in load_dataset(folder).ids[::12]:
        shutil.copy(folder / name, some / Path(name).name)
    return load_dataset(some)


def said(order: Order, model: str) -> Predictions:
    (found,) = network_source(order, model).make(*NOTHING)
    assert isinstance(found, Predictions)
    return found


def embedded(order: Order) -> Embeddings:
    return make_vectors(job_of(order, "embed"))[1]


@pytest.mark.parametrize(
    ("model", "accuracy", "happy", "anger", "disgust"),
    [
        ("fer-mini", 0.696, 1.0, 0.356, 0.395),
        ("fer-human", 0.585, 0.99, 0.244, 0.051),
        ("fer-faceapi", 0.895, 1.0, 0.741, 0.944),
    ],
)
def test_the_catalogs_classifiers_on_ckplus48_without_contempt(
    ckplus: FaceDataset,
    ask: Ask,
    model: str,
    accuracy: float,
    happy: float,
    anger: float,
    disgust: float,
) -> None:
    found = said(ask(ckplus, "lbp"), model)
    truth = ckplus.attribute("expression")
    names = np.array([str(EIGHT.target(each)) for each in truth.categories])[truth.codes]
    guess = np.array([str(EIGHT.target(each)) for each in found.classes])[found.codes]
    asked = names != "contempt"

    assert found.ok.all()
    assert (guess == names)[asked].mean() == pytest.approx(accuracy, abs=2e-3)
    for name, recall in (("happiness", happy), ("anger", anger), ("disgust", disgust)):
        assert (guess == name)[names == name].mean() == pytest.approx(recall, abs=6e-3)


@pytest.mark.parametrize(
    ("encoder", "method", "by_image", "by_subject"),
    [
        ("resnet50-keras", "linear", 0.985, 0.81),
        ("lbp", "svm", 0.965, 0.81),
    ],
)
def test_frames_of_one_person_on_both_sides_are_worth_points_that_are_not_there(
    ckplus: FaceDataset, ask: Ask, encoder: str, method: str, by_image: float, by_subject: float
) -> None:
    vectors, truth = embedded(ask(ckplus, encoder)), ckplus.attribute("expression")
    people = ckplus.attribute("subject").codes.astype(np.int64)

    def accuracy(units: NDArray[np.int64], name: str) -> float:
        by = Predictor(method, "heldout", "")
        with single_threaded():
            found = held_out_predictions(method, vectors, truth, Apart(units, name), seed=0, by=by)
        return float((found.codes == truth.codes).mean())

    assert accuracy(np.arange(len(ckplus)), "image") == pytest.approx(by_image, abs=0.012)
    assert accuracy(people, "subject") == pytest.approx(by_subject, abs=0.03)


@pytest.mark.parametrize("model", ["fer-mini", "fer-human", "fer-faceapi"])
def test_three_models_call_more_women_happy_and_more_men_angry(
    twelfth: FaceDataset, ask: Ask, model: str
) -> None:
    found = said(ask(twelfth, "lbp"), model)
    gender = twelfth.attribute("gender")

    def share(expression: str, who: str) -> float:
        group = gender.codes == gender.categories.index(who)
        return float((found.codes[group & found.ok] == found.classes.index(expression)).mean())

    assert len(twelfth) == 1_976
    assert 0.595 <= share("happy", "female") <= 0.625
    assert 0.41 <= share("happy", "male") <= 0.45
    assert 2.5 < share("angry", "male") / share("angry", "female") < 6


def test_a_model_that_learnt_from_utkface_does_not_label_it(
    twelfth: FaceDataset, ask: Ask
) -> None:
    assert known(twelfth.ages).max() > 0
    with pytest.raises(ModelError, match="trained on UTKFace"):
        network_source(ask(twelfth, "lbp"), "agegender-faceapi")
