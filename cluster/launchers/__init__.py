"""What starts a Ray cluster of its own on machines that a batch system gives out."""
