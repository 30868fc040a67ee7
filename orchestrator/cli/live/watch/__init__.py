"""`sweep watch` in a terminal: a Textual app. What it shows is read by `analysis/watch/`; how text fits, is in `views/`.

Textual is imported by what is in here and by nothing else, so only `sweep watch` pays for it.
"""
