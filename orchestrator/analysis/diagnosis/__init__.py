"""What the curves of a trial, and the records of a sweep, show: diagnoses only, each with its numbers, and no changes.

``curve.py`` holds a trial's training and validation curve as a value, ``rules/`` has one rule per file, and
``classify.py`` applies them; all of this is pure and light enough for the driver of a running sweep. ``findings/``
looks at a sweep as a whole, and ``diagnose.py`` reads the records. docs/diagnosis.md describes the rules and how often
they are right.
"""
