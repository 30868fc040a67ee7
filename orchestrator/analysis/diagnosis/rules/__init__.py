"""The rules that classify a trial's curve, one verdict per file; findings about the whole sweep are in findings/.

Each rule is a function of the trial's curve and of the sweep's reference, if known, and returns a verdict or None.

"Set on churn" after a threshold means: on trainings on the churn table with known causes (`python -m
benchmarks.diagnosis --churn`) and on sweeps like examples/02_churn.yaml; frozen on 2026-11-22, before anything was
measured on other data. Whoever changes a threshold must measure docs/diagnosis.md again, on data not used before.
"""
