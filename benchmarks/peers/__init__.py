"""The same work done with other tools, written as their documentation shows; nothing of ours is measured here."""
