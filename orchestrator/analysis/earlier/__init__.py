"""What a new sweep can learn from earlier ones: what fits its space, what is comparable; no search of its own."""
