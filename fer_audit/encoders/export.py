"""Name -> checked ONNX file: find it, or build it once from checked weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fer_audit.config import Precision, Resources
from fer_audit.encoders import packaged
from fer_audit.encoders.catalog import CATALOG, CatalogEntry, catalog_entry
from fer_audit.encoders.half import to_half
from fer_audit.encoders.network import PROBABILITIES, Network
from fer_audit.encoders.packages import UNREADABLE, archive_reader, package_bytes
from fer_audit.encoders.resnet50 import build_resnet50, load_keras_resnet50, random_resnet50
from fer_audit.encoders.sidecar import check_graph, described, is_saved, load_model, save_model
from fer_audit.encoders.types import ExportedModel, ModelSpec
from fer_audit.errors import ModelError
from fer_audit.progress import Progress
from fer_audit.store.locks import folder_lock
from fer_audit.store.stage import cache_folder, cache_place, make_folder

if TYPE_CHECKING:
    import onnx


def models_folder(places: Resources) -> Path:
    """Return where exported models live: models/ of a source checkout, else the user's cache."""
    if places.models_dir is not None:
        return places.models_dir
    checkout = Path(__file__).resolve().parents[2] / "models"
    there = (checkout / "README.md").exists()
    return checkout if there else cache_place(places.cache_dir) / "models"


def model_path(models_dir: Path, name: str, precision: Precision) -> Path:
    """Return where the export of a catalog model belongs."""
    suffix = "" if precision == "fp32" else f"-{precision}"
    return models_dir / f"{name}{suffix}.onnx"


def _users_file(model: str, places: Resources) -> Path | None:
    """Return the file of a model that is not one of the catalog: one that `models add` wrote, or a path."""
    imported = model_path(models_folder(places), Path(model).name, "fp32")
    if all(entry.spec.name != model for entry in CATALOG) and is_saved(imported):
        return imported
    return Path(model) if model.endswith(".onnx") else None


def spec_of(model: str, places: Resources) -> ModelSpec:
    """Return what a model is, built or not; ModelError for an unknown name, or a file without a sidecar."""
    path = _users_file(model, places)
    return catalog_entry(model).spec if path is None else described(path)


def find_or_export(
    model: str, precision: Precision, places: Resources, progress: Progress
) -> ExportedModel:
    """Return the model, exporting a catalog model on first use.

    A name is one of the catalog, or of a file that `models add` wrote. Raises ModelError for an unknown name, a file that is
    not the one its sidecar vouches for, missing weights, or a file of the user's with foreign parts (`check_graph`) or in
    another precision than the one asked for.
    """
    if (users := _users_file(model, places)) is not None:
        # somebody else's file: looked into at once, while ours are looked into when they are used
        found = load_model(users)
        if precision not in ("fp32", found.precision):  # fp32 is the default
            raise ModelError(
                f"{found.path} is {found.precision}, --precision asks for {precision}",
                hint="Leave --precision out: a file has the precision its sidecar says.",
            )
        check_graph(found)
        return found
    path = model_path(models_folder(places), catalog_entry(model).spec.name, precision)
    if is_saved(path):
        return load_model(path)
    return export_model(model, precision, places, progress)


def export_model(
    name: str,
    precision: Precision,
    places: Resources,
    progress: Progress,
    *,
    source: Path | None = None,
) -> ExportedModel:
    """Build a catalog model and write it with its sidecar, replacing what is there."""
    entry = catalog_entry(name)
    if precision == "int8":
        raise ModelError(
            f"{name} cannot be exported in int8 without images to calibrate it",
            hint="Use --precision fp32 or fp16.",
        )
    if entry.exporter == "computed":
        raise ModelError(
            f"{name} is no network, so there is no file of it",
            hint=f"fer-audit run DATASET --model {name} needs no export.",
        )
    models_dir = models_folder(places)
    path = model_path(models_dir, name, precision)
    make_folder(models_dir)
    with folder_lock(models_dir, wait_seconds=-1):
        progress.say(f"exporting {name} to {path} (once)")
        graph = _build(entry, cache_folder(places.cache_dir) / "weights", source, progress)
        if precision == "fp16":
            graph = to_half(graph)
        return save_model(graph, entry.spec, precision, path)


def _build(
    entry: CatalogEntry, weights_dir: Path, source: Path | None, progress: Progress
) -> onnx.ModelProto:
    if entry.exporter == "torchvision":
        from fer_audit.encoders.torch_export import export_torchvision

        return export_torchvision(entry.spec, source)
    if entry.exporter == "random-resnet50":
        return build_resnet50(random_resnet50(), entry.spec)
    if entry.package is not None:
        data = package_bytes(entry.package, weights_dir, source, progress)
        return build_packaged(entry, data)
    return build_resnet50(load_keras_resnet50(weights_dir, source, progress), entry.spec)


def build_packaged(entry: CatalogEntry, data: bytes) -> onnx.ModelProto:
    """Return the graph of a network that lies in a package; ModelError when the archive does not hold it."""
    network = Network()
    image = network.preprocessed(entry.spec)
    folder, file = entry.file.rpartition("/")[0] + "/", entry.file
    try:
        read = archive_reader(data)
        if entry.exporter == "keras":
            answer = packaged.add_layers(network, image, read(file, packaged.MAX_BYTES))
        elif entry.exporter == "tfjs":
            document = packaged.read_document(read, file)
            arrays = packaged.read_weights(read, folder, document["weightsManifest"])
            answer = packaged.add_graph(network, image, document["modelTopology"]["node"], arrays)
        else:
            arrays = packaged.read_weights(
                read, folder, packaged.read_document(read, f"{file}-weights_manifest.json")
            )
            add = (
                packaged.add_age_gender
                if file.endswith("age_gender_model")
                else packaged.add_expression
            )
            answer = add(network, image, arrays)
        network.add("Identity", [answer], PROBABILITIES)
        return network.finished(entry.spec, PROBABILITIES)
    except UNREADABLE as exc:
        raise ModelError(f"{entry.spec.weights} is not the network we know: {exc}") from exc


def available_models(models_dir: Path) -> list[tuple[ModelSpec, Path | None]]:
    """Return the catalog, each with its exported file if there is one, then what `models add` wrote."""
    found: list[tuple[ModelSpec, Path | None]] = []
    for entry in CATALOG:
        path = model_path(models_dir, entry.spec.name, "fp32")
        found.append((entry.spec, path if path.exists() else None))
    names = {spec.name for spec, _ in found}
    for path in sorted(models_dir.glob("*.onnx")):
        try:
            spec = described(path)
        except ModelError:
            continue  # a run that names it is told why
        if spec.name == path.stem and spec.name not in names:
            found.append((spec, path))
    return found
