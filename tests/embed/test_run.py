"""Shards to one matrix: resumed after every shard, and a bad row costs only itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_audit.embed.run import (
    embed_fingerprint,
    embed_shards,
    join_shards,
    load_embeddings,
    missing_shards,
)
from fer_audit.embed.session import CPU, CUDA, CUDA_OPTIONS, EmbedSession
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import StoreError
from fer_audit.pack.rows import empty_rows
from fer_audit.pack.types import PackShard
from fer_audit.store.stage import StageFolder
from tests.graphs import SIZE, black_is_nan_graph, save

N = 11
ROWS = 4
FACTS = ModelFacts("mean-colour", "0" * 64, CPU, "fp32", 3)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four rows in a shard, so that eleven images make three."""
    monkeypatch.setattr("fer_audit.pack.types.SHARD_ROWS", ROWS)


@pytest.fixture
def session(tiny_model: ExportedModel) -> EmbedSession:
    """Give a session whose batch does not divide a shard."""
    return EmbedSession(tiny_model, CPU, batch_size=3)


@pytest.fixture
def folder(cache_dir: Path) -> StageFolder:
    """Give an empty stage folder."""
    return StageFolder.open(cache_dir, "embed", "f" * 64)


def shards() -> list[PackShard]:
    """Return eleven noisy images in three shards; image 5 could not be decoded."""
    pixels = np.random.default_rng(0).integers(0, 256, (N, SIZE, SIZE, 3), dtype=np.uint8)
    pixels[5] = 0
    made = []
    for start in range(0, N, ROWS):
        stop = min(start + ROWS, N)
        rows = empty_rows(stop - start)
        rows.ok[:] = True
        if start <= 5 < stop:
            rows.ok[5 - start] = False
            rows.reasons[5 - start] = "truncated"
        made.append(PackShard(start, stop, pixels[start:stop], rows))
    return made


def finished(folder: StageFolder) -> Embeddings:
    found = load_embeddings(folder, FACTS)
    assert not isinstance(found, str)
    return found


def whole(folder: StageFolder, session: EmbedSession) -> Embeddings:
    embed_shards(enumerate(shards()), session, folder)
    join_shards(folder, N, FACTS)
    return finished(folder)


def files(folder: StageFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


def test_row_i_is_image_i_and_a_failed_row_is_zero_with_its_reason(
    folder: StageFolder, session: EmbedSession
) -> None:
    found = whole(folder, session)

    colours = np.concatenate([shard.pixels for shard in shards()]).mean(axis=(1, 2))
    assert found.vectors.shape == (N, 3)
    assert np.allclose(found.vectors, colours, rtol=1e-5)
    assert np.flatnonzero(~found.ok).tolist() == [5]
    assert not found.vectors[5].any()
    assert found.reasons[5] == "truncated"
    assert isinstance(found.vectors, np.memmap)


def test_a_vector_that_is_not_finite_fails_its_row_and_only_its_row(
    folder: StageFolder, tmp_path: Path
) -> None:
    """The model divides 0 by 0 for black images; padding is black too, and must not leak."""
    model = save(black_is_nan_graph(), tmp_path / "nan.onnx")
    made = shards()
    made[2].pixels[1] = 0  # image 9
    session = EmbedSession(model, CPU, batch_size=3)
    embed_shards(enumerate(made), session, folder)
    join_shards(folder, N, FACTS)

    found = finished(folder)

    assert np.flatnonzero(~found.ok).tolist() == [5, 9]
    assert found.reasons[[5, 9]].tolist() == ["truncated", "nonfinite_embedding"]
    assert (found.reasons[found.ok] == "").all()
    assert np.isfinite(found.vectors).all()
    assert not found.vectors[[5, 9]].any()
    assert (np.abs(found.vectors[found.ok]).sum(axis=1) > 0).all()


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_run_resumed_after_any_shard_gives_the_same_bytes(
    tmp_path: Path, session: EmbedSession, tiny_model: ExportedModel, done: int
) -> None:
    straight = StageFolder.open(tmp_path / "a", "embed", "f" * 64)
    whole(straight, session)
    broken = StageFolder.open(tmp_path / "b", "embed", "f" * 64)
    embed_shards(enumerate(shards()[:done]), session, broken)

    missing, complaints = missing_shards(broken, N)
    again = EmbedSession(tiny_model, CPU, batch_size=3)
    embed_shards([(index, shards()[index]) for index in missing], again, broken)
    join_shards(broken, N, FACTS)

    assert (missing, complaints) == (list(range(done, 3)), [])
    assert files(broken) == files(straight)


def test_shards_finished_out_of_order_are_joined_in_order(
    folder: StageFolder, tmp_path: Path, session: EmbedSession
) -> None:
    straight = whole(StageFolder.open(tmp_path / "a", "embed", "f" * 64), session)
    made = shards()
    embed_shards([(index, made[index]) for index in (2, 0, 1)], session, folder)
    join_shards(folder, N, FACTS)

    assert finished(folder).vectors.tobytes() == straight.vectors.tobytes()


def test_a_damaged_shard_is_named_and_the_only_one_made_again(
    folder: StageFolder, session: EmbedSession
) -> None:
    embed_shards(enumerate(shards()), session, folder)
    path = folder.path / "vectors-00001.vectors.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x77")

    missing, complaints = missing_shards(folder, N)

    assert missing == [1]
    assert complaints == ["embedded again: vectors-00001.vectors.npy is damaged"]
    with pytest.raises(StoreError, match="shard 1 vanished"):
        join_shards(folder, N, FACTS)
    assert load_embeddings(folder, FACTS) == ""


def test_joining_drops_the_shards_and_damaged_vectors_are_not_used(
    folder: StageFolder, session: EmbedSession
) -> None:
    whole(folder, session)
    assert sorted(files(folder)) == [
        *("vectors.json", "vectors.ok.npy", "vectors.reasons.npy", "vectors.vectors.npy")
    ]

    path = folder.path / "vectors.vectors.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x77")

    assert load_embeddings(folder, FACTS) == "vectors.vectors.npy is damaged"


def fingerprint(**changes: Any) -> str:  # noqa: ANN401 - embed_fingerprint's
    """Return the fingerprint of some vectors, with changes."""
    values: dict[str, Any] = {"provider": CPU, "batch_size": 16, "runtime": "1", **changes}
    return embed_fingerprint(values.pop("pack", "p"), values.pop("model", "m"), **values)


def test_the_fingerprint_knows_everything_that_changes_a_vector() -> None:
    changes: tuple[dict[str, Any], ...] = (
        *({}, {"pack": "q"}, {"model": "n"}, {"provider": CUDA}),
        *({"batch_size": 8}, {"runtime": "2"}),
    )

    assert len({fingerprint(**change) for change in changes}) == 6
    assert fingerprint() == fingerprint()


def test_a_cpus_fingerprint_is_what_it_was_before_cudas_options_were_in_any() -> None:
    """Vectors that somebody's cache holds are not made again."""
    found = embed_fingerprint("p" * 64, "m" * 64, provider=CPU, batch_size=32, runtime="1.23.2")

    assert found == "f796375f95f8a180304640aa1b9cce0ce4d606768695def58c786db4111a1a9b"


@pytest.mark.parametrize("provider", [CPU, CUDA])
def test_options_of_cuda_make_other_vectors_on_cuda_alone(
    monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    before = fingerprint(provider=provider)

    monkeypatch.setitem(CUDA_OPTIONS, "cudnn_conv_use_max_workspace", "0")

    assert (fingerprint(provider=provider) == before) is (provider == CPU)
