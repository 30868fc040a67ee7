"""The state machine on a virtual clock: whole sweeps in milliseconds, without Ray."""
