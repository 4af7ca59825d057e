"""Every parser of bytes that somebody else wrote, as a function of bytes, and two ways to feed it.

`make fuzz` feeds each for minutes: with atheris, which is led by coverage, where that is installed (extra `fuzz`),
with hypothesis, which is not, elsewhere. tests/fuzz/test_targets.py feeds each for a moment.
What was found is mended and kept in tests/test_fuzz_findings.py.
"""
