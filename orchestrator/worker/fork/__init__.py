"""A process of its own for every trial: a warm parent imports what is slow, once, and forks a child for each trial."""
