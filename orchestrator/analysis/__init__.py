"""Answers from the records: what the sweeps came to, the best trial, the rungs, the causes of failures."""
