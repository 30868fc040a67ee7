"""What a sweep's records say as they stand: status, ranking, rungs, failures; no statistics and no diagnosis."""
