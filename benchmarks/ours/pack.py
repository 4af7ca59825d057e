"""The stage `embed` over pixels that are packed already, its model loaded: check the shard, embed it, write its vectors."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ours.setup import EmbedSetup
from benchmarks.serving import Job, serve
from fer_audit.cores import usable_cores
from fer_audit.dataset.load import load_dataset
from fer_audit.embed.run import embed_shards, join_shards, load_embeddings
from fer_audit.embed.types import ModelFacts
from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.pack.types import shard_count
from fer_audit.store.stage import StageFolder


class Pack(Job):
    """The shards of one set, made once, embedded in every repeat."""

    def __init__(self, setup: dict[str, Any]) -> None:
        asked = EmbedSetup(setup)
        self._session = asked.open_session()
        self.facts = asked.facts(self._session.provider)
        spec = asked.model.spec
        self._model = ModelFacts(
            spec.name,
            asked.model.sha256,
            self._session.provider,
            asked.model.precision,
            spec.dim,
        )
        home = Path(tempfile.mkdtemp(dir=asked.work))
        dataset = load_dataset(asked.faces, asked.config)
        self._n = len(dataset)
        pixels = StageFolder.open(
            home, "pack", pack_fingerprint(dataset, spec.size, padded=spec.padded)
        )
        self._maker = ShardMaker(
            dataset, pixels, size=spec.size, padded=spec.padded, keep=True, workers=usable_cores()
        )
        for _ in self._maker.iterate(self._shards):
            pass
        self._folder = StageFolder.open(home, "embed", "benchmark")

    @property
    def _shards(self) -> range:
        return range(shard_count(self._n))

    def work(self) -> NDArray[np.float32]:
        """Return the (n, dim) vectors, written and read back."""
        shards = zip(self._shards, self._maker.iterate(self._shards), strict=True)
        embed_shards(shards, self._session, self._folder)
        join_shards(self._folder, self._n, self._model)
        found = load_embeddings(self._folder, self._model)
        if isinstance(found, str):
            raise TypeError(f"the vectors cannot be read back: {found}")
        return found.vectors

    def clean(self) -> None:
        """Forget the vectors."""
        self._folder.clear()


if __name__ == "__main__":
    serve(Pack)
