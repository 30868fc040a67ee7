"""The screen of `sweep watch`: a Textual app that draws what analysis/watch/ reads, and reads no records itself.

Only the modules in here import Textual, so only `sweep watch` pays for it. What is printed once belongs in `views/`.
"""
