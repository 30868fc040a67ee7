"""What is to be said of a sweep as a whole, one thing a file: each a function of the evidence that gives findings."""
