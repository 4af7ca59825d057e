"""Tests of the dataset room. Its files are fake: the room lists and names images, it never decodes one."""
