"""Which withheld cells of a two-way table can be worked out, without a linear program: the table as a network.

Every line of the table is a node and every cell an edge between its row and its column. A withheld cell can hold one image more
where a cycle of withheld cells through it goes up and down in turn; one that can go both ways is an edge in both directions.
Gusfield, SIAM Journal on Computing 17 (1988), shows that a cell has one possible value if and only if no cycle goes through it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from fer_audit.audit.stats.tables import Counts

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]

STEPS = 5_000_000
"""Edges that may be looked at in all searches for cycles together: about a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Cells that are each in two sums."""

    counts: Counts
    """(m,) the true counts."""
    tails: Places
    """(m,) the sum that a cell leaves; where it holds more, this sum has more."""
    heads: Places
    """(m,) the sum that it enters."""
    nodes: int

    def can_fall(self) -> Mask:
        """Return which cells can hold one image less: one that holds somebody is known to hold somebody."""
        return np.asarray(self.counts > 1)


def network(counts: Counts, matrix: csr_matrix, signs: Counts) -> Network:
    """Return the network of `matrix @ counts`; `signs` (e,) of 1 and -1 makes every column one 1 and one -1.

    Raises ValueError where they do not.
    """
    entries = matrix.tocoo()
    sides = entries.data * signs[entries.row]
    tails, heads = (np.full(len(counts), -1, dtype=np.intp) for _ in range(2))
    for end, side in ((tails, 1), (heads, -1)):
        end[entries.col[sides == side]] = entries.row[sides == side]
    if len(entries.data) != 2 * len(counts) or (tails < 0).any() or (heads < 0).any():
        raise ValueError("not every cell is in two sums with opposite signs")
    return Network(counts, tails, heads, matrix.shape[0])


def exposed_edges(net: Network, mask: Mask) -> Places:
    """Return the withheld cells that no cycle of withheld cells goes through."""
    cells = np.flatnonzero(mask)
    tails, heads = net.tails[cells], net.heads[cells]
    falls = net.can_fall()[cells]
    starts = np.concatenate([tails, heads[falls]])
    stops = np.concatenate([heads, tails[falls]])
    ones = np.ones(len(starts), dtype=np.int64)
    graph = coo_matrix((ones, (starts, stops)), shape=(net.nodes, net.nodes)).tocsr()
    _, part = connected_components(graph, directed=True, connection="strong")
    lost = part[tails] != part[heads]
    within = np.flatnonzero(~lost)
    lost[within[_bridges(tails[within], heads[within], net.nodes)]] = True
    return np.asarray(cells[lost], dtype=np.intp)


def protect_edges(net: Network, withheld: Mask, may_add: Mask) -> Mask | None:
    """Return the cells to withhold so that a cycle goes through each of them; None when there is none, or after STEPS.

    Each exposed cell takes the lightest cycle through it, withheld cells being free and empty ones the last resort. All cells
    of a cycle are safe, those that were added too, so that one pass over the exposed ones is enough.
    """
    mask = withheld.copy()
    lost = exposed_edges(net, mask)
    if not len(lost):
        return mask
    roads = _Roads(net, mask, may_add)
    if 2 * len(lost) * roads.size > STEPS:
        return None
    safe = np.zeros(len(mask), dtype=np.bool_)
    for cell in lost.tolist():
        if safe[cell]:
            continue
        cycle = roads.lightest(cell)
        if cycle is None:
            return None
        safe[cycle] = mask[cycle] = True
        roads.withhold(cycle)
    return mask


class _Roads:
    """The directions in which cells can move, and what it costs to withhold those that are told."""

    def __init__(self, net: Network, mask: Mask, may_add: Mask) -> None:
        heavy = float(net.counts.sum()) + 1
        cost = np.where(net.counts > 0, net.counts, heavy).astype(np.float64)
        self._free = 1 / (
            4 * net.nodes
        )  # a whole cycle of withheld cells weighs less than one image
        cost[mask] = self._free
        used = np.flatnonzero(mask | may_add)
        down = used[net.can_fall()[used]]
        starts = np.concatenate([net.tails[used], net.heads[down]])
        stops = np.concatenate([net.heads[used], net.tails[down]])
        cells = np.concatenate([used, down])
        order = np.lexsort((stops, starts))
        self._cells = cells[order]
        bounds = np.searchsorted(starts[order], np.arange(net.nodes + 1))
        self._graph = csr_matrix(
            (cost[self._cells], stops[order], bounds), shape=(net.nodes, net.nodes)
        )
        self._places: dict[int, list[int]] = {}
        for place, cell in enumerate(self._cells.tolist()):
            self._places.setdefault(cell, []).append(place)
        self._by_ends = dict(
            zip(
                zip(starts[order].tolist(), stops[order].tolist(), strict=True),
                self._cells.tolist(),
                strict=True,
            )
        )
        self._net = net
        self.size = len(self._cells)

    def lightest(self, cell: int) -> list[int] | None:
        """Return the cells of the lightest cycle through a cell, itself first; None when there is none."""
        tail, head = int(self._net.tails[cell]), int(self._net.heads[cell])
        ways = [(head, tail)] + ([(tail, head)] if self._net.counts[cell] > 1 else [])
        places = self._places[cell]
        before = self._graph.data[places].copy()
        self._graph.data[places] = np.inf  # not back the way it came
        best, found = np.inf, None
        for start, stop in ways:
            far, came = dijkstra(self._graph, indices=start, return_predecessors=True)
            if far[stop] < best:
                best, found = float(far[stop]), self._walk(came, start, stop)
        self._graph.data[places] = before
        return None if found is None else [cell, *found]

    def withhold(self, cells: list[int]) -> None:
        """Make cells free for the cycles to come."""
        for cell in cells:
            self._graph.data[self._places[cell]] = self._free

    def _walk(self, came: NDArray[np.int32], start: int, stop: int) -> list[int]:
        cells = []
        while stop != start:
            before = int(came[stop])
            cells.append(self._by_ends[before, stop])
            stop = before
        return cells


def _bridges(tails: Places, heads: Places, nodes: int) -> list[int]:
    """Return the edges whose removal parts their component, directions aside (Tarjan 1974)."""
    near: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    for edge, (tail, head) in enumerate(zip(tails.tolist(), heads.tolist(), strict=True)):
        near[tail].append((head, edge))
        near[head].append((tail, edge))
    seen, low = [-1] * nodes, [0] * nodes
    found, clock = [], 0
    for root in range(nodes):
        if seen[root] >= 0:
            continue
        stack = [(root, -1, iter(near[root]))]
        seen[root] = low[root] = clock
        clock += 1
        while stack:
            node, by, rest = stack[-1]
            for other, edge in rest:
                if edge == by:
                    continue
                if seen[other] < 0:
                    seen[other] = low[other] = clock
                    clock += 1
                    stack.append((other, edge, iter(near[other])))
                    break
                low[node] = min(low[node], seen[other])
            else:
                stack.pop()
                if stack:
                    above = stack[-1][0]
                    low[above] = min(low[above], low[node])
                    if low[node] > seen[above]:
                        found.append(by)
    return found
