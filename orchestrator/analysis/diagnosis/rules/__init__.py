"""The signs by which one sees what is wrong with a training, one a file. Each is a function of a trial's curve and of
what the sweep's trials reached, as far as that is known, and gives a verdict or None.

"Set on churn" behind a threshold: on trainings on the churn table whose causes are known (`python -m
benchmarks.diagnosis --churn`), and on sweeps like examples/02_churn.yaml; frozen on 2026-11-22, before anything was
measured on other data. Whoever moves one owes docs/diagnosis.md new figures, from data that nobody has looked at.
"""
