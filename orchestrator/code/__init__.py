"""The code of a sweep: its files, their fingerprints, one version of them everywhere; no specs, no records."""
