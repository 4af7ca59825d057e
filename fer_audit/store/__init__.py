"""Files that are whole or not there: stages, durable writes, locks, arrays, fingerprints."""
