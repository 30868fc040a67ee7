"""Answers questions from the records alone; prints nothing, starts nothing, and never writes to a sweep."""
