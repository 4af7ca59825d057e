"""The dataset formats, one file each, on files that the tests plant."""
