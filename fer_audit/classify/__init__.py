"""What models say of every face: networks of the catalog, files that people bring, tables that somebody made."""
