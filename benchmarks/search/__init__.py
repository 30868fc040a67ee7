"""How soon a search finds a good configuration: tasks with known curves, peers, and what `make bench-search` prints."""
