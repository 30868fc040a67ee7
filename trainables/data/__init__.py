"""Data on its way to a model: identified by its content, and prepared once a machine rather than once a trial."""
