"""What runs in Ray's worker processes: one attempt after the other; no decisions, no records."""
