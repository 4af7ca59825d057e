"""A parallel map over blocks of rows, the linear algebra of each block on one thread.

Threads inside one product of a millisecond wait for each other longer than they work.
With another busy process on the machine an eigenvalue problem of 1 s took 14 to 30 s; whole products never wait.
Results come in the order of the items, so how many threads there are changes no sum.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from itertools import islice
from typing import Protocol, TypeVar

from threadpoolctl import ThreadpoolController

from fer_audit.cores import usable_cores

MAX_THREADS = 8
"""Each thread holds three blocks of 34 MB: 0.8 GB."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class ParallelMap(Protocol):
    """Calls one function with each item."""

    def __call__(
        self, work: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result]:
        """Yield the results in the order of the items; only a few more items are taken than results."""


def serial_map(work: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
    """Yield the results in order, without a thread."""
    for item in items:
        yield work(item)


@contextmanager
def parallel_map(limit: int = MAX_THREADS) -> Iterator[ParallelMap]:
    """Give a map on as many threads as there are usable cores, at most `limit`; pieces must not share what they write.

    An error in one piece is raised where its result would come, and pieces that have not begun are dropped.
    """
    threads = min(limit, usable_cores(), MAX_THREADS)
    with single_threaded():
        if threads < 2:
            yield serial_map
            return
        pool = ThreadPoolExecutor(threads, initializer=_limit_this_thread)

        def parallel(work: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
            source = iter(items)
            begun: deque[Future[Result]] = deque()
            for item in islice(source, threads):
                begun.append(pool.submit(work, item))
            while begun:
                result = begun.popleft().result()
                for item in islice(source, 1):
                    begun.append(pool.submit(work, item))
                yield result

        try:
            yield parallel
        finally:
            pool.shutdown(cancel_futures=True)


def single_threaded() -> AbstractContextManager[object]:
    """Keep the linear algebra to one thread."""
    limits: AbstractContextManager[object] = _thread_controller().limit(limits=1)
    return limits


def _limit_this_thread() -> None:
    """Limit OpenMP, whose setting is each thread's own. The limit is not lifted: the thread ends with its pool."""
    _thread_controller().limit(limits=1)


@cache
def _thread_controller() -> ThreadpoolController:
    """Find the thread pools once: the search takes 6 ms, a limit 0.06.

    scikit-learn's OpenMP is among them only when it is loaded before, hence the import.
    """
    import sklearn.cluster  # noqa: F401 - for its effect, above

    return ThreadpoolController()
