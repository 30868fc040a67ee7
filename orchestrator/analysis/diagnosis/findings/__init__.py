"""Findings about a sweep as a whole, one subject per file; what a single curve shows is in rules/."""
