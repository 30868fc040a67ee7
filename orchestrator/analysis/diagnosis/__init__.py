"""What recorded curves say of a trial, and a sweep's records of the sweep, each finding with the numbers it rests on.

``curve.py`` holds a trial's two curves as a value, ``rules/`` the signs by which one sees that something is wrong
with it, one a file; ``judge.py`` puts them together. All of that is pure, and light enough for the driver of a running
sweep. ``findings/`` looks at a sweep as a whole. ``examine.py`` reads the records. docs/diagnosis.md says the rules in
words, and how often they are right.
"""
