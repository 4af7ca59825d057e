"""Independent pieces of work at the same time, the linear algebra of each on one thread.

Threads inside one product of a millisecond wait for each other longer than they work.
Beside another busy process that made an eigenvalue problem of 1 s take 14 to 30 s; whole products at once never wait.
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

MOST_THREADS = 8
"""Each holds blocks of its own: at 34 MB a block and three of them a thread, 0.8 GB."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Walk(Protocol):
    """Does one thing with each item."""

    def __call__(
        self, work: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result]:
        """Yield the results in the order of the items; only a few more items are taken than results."""


def one_by_one(work: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
    """Yield the results in order, without a thread."""
    for item in items:
        yield work(item)


@contextmanager
def side_by_side(most: int = MOST_THREADS) -> Iterator[Walk]:
    """Give a walk on as many threads as there are usable cores, at most `most`; work must not share what it writes.

    An error in one piece is raised where its result would come, and pieces not begun are dropped.
    """
    threads = min(most, usable_cores(), MOST_THREADS)
    with one_thread():
        if threads < 2:
            yield one_by_one
            return
        pool = ThreadPoolExecutor(threads, initializer=_limit_this_thread)

        def walk(work: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
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
            yield walk
        finally:
            pool.shutdown(cancel_futures=True)


def one_thread() -> AbstractContextManager[object]:
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
