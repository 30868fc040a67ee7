"""A training program by its command line, as a trainable: starts it, reads its metrics, ends it; no sweep, no Ray."""
