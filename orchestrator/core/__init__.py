"""The sweep as a pure state machine, with its search methods and schedulers; no Ray, no clock, no disk."""
