"""Everything that Ray does not promise to keep: private names, internals, wording, undocumented settings; no sweeps.

Nothing outside this package touches any of it, and nothing in here knows sweeps. Every module declares the names it
needs in ``names.FAMILIES`` and looks them up through it, so that a Ray without them is met in one of two ways:

- What only saves time or adds comfort falls back to the public way. ``sweep doctor`` says what was lost.
- What a sweep cannot be correct without raises UnsupportedRayError, which says in one sentence which Ray is installed
  and which is supported.

tests/ray_private/ holds the rule: no private name elsewhere, none undeclared in here, and a sweep without each of them.
"""
