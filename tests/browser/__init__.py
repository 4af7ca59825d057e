"""The HTML report in Chromium."""
