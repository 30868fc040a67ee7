"""What others do, as searches and schedulers of the sweep's own state machine, in the same simulator as ours."""
