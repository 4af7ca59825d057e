"""The fault table of docs/trust.md: real processes, real files, real kills. One file a family."""
