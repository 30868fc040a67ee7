"""What scripts and notebooks call: ``run``, ``load`` and what they return; no code of the command line."""
