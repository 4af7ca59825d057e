"""What writes the pages and schemas of this folder that follow from the records."""
