"""The command line as a person meets it: exit codes that tell the truth, stdout that is the result."""
