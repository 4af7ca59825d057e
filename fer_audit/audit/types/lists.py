"""Where the lists behind findings lie in a run directory."""

from __future__ import annotations

SPLIT_LEAKS = "lists/split_leaks.csv"
NEAR_DUPLICATES = "lists/near_duplicates.csv"
CONFLICTS = "lists/conflicts.csv"
UNREADABLE = "lists/unreadable.csv"
ODD = "lists/odd.csv"
OUTLIERS = "lists/outliers.csv"
THIN_GROUPS = "lists/thin_groups.csv"
SUSPECTS = "lists/label_suspects.csv"
SUSPECT_GROUPS = "lists/label_suspects_by_group.csv"
DROP_COPIES = "lists/drop_copies.txt"
DROP = "lists/drop.txt"
KEEP = "lists/keep.txt"
