"""Looks for inputs that end in an error nobody foresaw: ``make fuzz``, or ``python -m tests.fuzz --minutes N``.

One module for each kind of input. Each has a class with a ``name`` and ``attempt``, which makes one random input, uses
it as a user would, and raises a :class:`tests.fuzz.outcome.Finding` unless what happens is a result or a sentence.
"""
