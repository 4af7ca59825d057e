"""Records only: what the audit says, one file a room."""
