"""What a share may be compared with, and when a group has too little of it."""

from __future__ import annotations

from fer_audit.audit.types.composition import FOUR_FIFTHS, GroupShare, Representation


def has_target(about: Representation) -> bool:
    """Return whether the ratio to the target means something: even shares are no aim for batches, parts and age groups.

    Age groups span unequal numbers of years; with a reference they have a target, too.
    """
    if about.target.target != "uniform":
        return True
    return about.kind in ("demographic", "label") and not about.attribute.endswith(
        ("age", "age_bin")
    )


def is_under(group: GroupShare) -> bool:
    """Return whether a group has less than four fifths of its target, its whole interval too; an empty one has."""
    ratio = group.ratio if group.ratio_high is None else group.ratio_high
    return ratio is not None and ratio < FOUR_FIFTHS
