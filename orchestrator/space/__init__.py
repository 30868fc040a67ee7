"""The search space as values: distributions, conditions, constraints; choosing points in it belongs to core/search."""
