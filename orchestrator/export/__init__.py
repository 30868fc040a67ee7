"""A recorded sweep as other tools have it: one target a file. Reads the records, and writes a new directory."""
