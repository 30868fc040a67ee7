"""What scripts and notebooks call: ``run``, ``load``, ``simulate_sweep``, and what they return; no command line."""
