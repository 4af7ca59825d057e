"""Pure numbers: tables, resampling, information, tests. Knows no record and no dataset."""
