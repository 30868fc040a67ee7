"""The same work done with other tools, written as their own documentation shows it."""
