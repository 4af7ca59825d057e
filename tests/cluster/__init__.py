"""Theorems of the partition: it is K-Means, whatever the blocks, the order and the rows that are not there."""
