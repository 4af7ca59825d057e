"""Several sessions over the shards of one run: a thread each, every shard taken by exactly one of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from fer_audit.embed.run import embed_shards
from fer_audit.embed.types import Session
from fer_audit.pack.types import PackShard
from fer_audit.progress import Progress
from fer_audit.store.stage import StageFolder


def embed_everywhere(
    shards: Iterable[tuple[int, PackShard]],
    sessions: Sequence[Session],
    folder: StageFolder,
    progress: Progress,
) -> None:
    """Embed (index, shard) pairs on all sessions, which take the next shard whenever they are free.

    The files are those of one session, because a shard's vectors depend on nothing but the shard.
    When one session fails, the others finish what they have taken; then its error is raised.
    """
    if len(sessions) == 1:
        embed_shards(shards, sessions[0], folder, progress.advance)
        return
    shared = _Shared(shards)
    turn = threading.Lock()

    def advance(stage: str, amount: int) -> None:
        with turn:
            progress.advance(stage, amount)

    with ThreadPoolExecutor(len(sessions), thread_name_prefix="device") as threads:
        running = [
            threads.submit(embed_shards, shared, session, folder, advance) for session in sessions
        ]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            shared.stop()
    for future in running:
        future.result()


class _Shared(Iterator[tuple[int, PackShard]]):
    """An iterator that several threads may draw from."""

    def __init__(self, items: Iterable[tuple[int, PackShard]]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()
        self._stopped = False

    def __next__(self) -> tuple[int, PackShard]:
        with self._lock:
            if self._stopped:
                raise StopIteration
            return next(self._items)

    def stop(self) -> None:
        """Let every thread find the end; nothing more is taken."""
        self._stopped = True
