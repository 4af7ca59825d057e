"""Whom does a FER model fail? Its predictions by group, with or without true labels."""
