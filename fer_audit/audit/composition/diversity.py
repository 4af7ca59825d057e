"""How evenly a set is spread over its groups: the indices of Dominguez-Catena et al. 2024.

IEEE TPAMI, arXiv 2303.15889; p_i is the share of an observed group, k their number.
"""

from __future__ import annotations

import numpy as np

from fer_audit.audit.stats.information import entropy
from fer_audit.audit.stats.tables import Counts
from fer_audit.audit.types.composition import Indices

_FIELDS = ("ENS", "D", "inverse_D", "H", "SEI", "NSD", "IR", "BP")


def diversity_indices(counts: Counts) -> Indices:
    """Return the indices of (g,) counts over the observed groups; a group without images is no group."""
    seen = counts[counts > 0]
    k = len(seen)
    if k == 0:
        reason = "no image is annotated"
        return Indices(
            R=0,
            **dict.fromkeys(_FIELDS),
            not_computable=tuple((name, reason) for name in _FIELDS),
        )
    p = seen / seen.sum()
    h = entropy(seen)
    d = float(np.sum(p * p))
    one_group = "only one group is observed"
    return Indices(
        R=k,
        ENS=float(np.exp(h)),
        D=d,
        inverse_D=1 / d,
        H=h,
        SEI=h / float(np.log(k)) if k > 1 else None,
        NSD=float(np.std(p) * k / np.sqrt(k - 1)) if k > 1 else None,
        IR=float(seen.max() / seen.min()),
        BP=float(p.max()),
        not_computable=() if k > 1 else (("SEI", one_group), ("NSD", one_group)),
    )
