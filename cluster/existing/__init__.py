"""Joins a Ray cluster that runs already, looks at its nodes and asks for more of them; starts and ends none."""
