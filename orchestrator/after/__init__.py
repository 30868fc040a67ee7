"""What changes a sweep after it has ended: clean, evaluate, confirm; what only answers questions is in analysis/."""
