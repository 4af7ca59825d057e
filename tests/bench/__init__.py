"""What a benchmark promises: checked outputs, honest counts, settings that hold where they were found."""
