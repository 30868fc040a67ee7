"""From what a sweep has found to the spec of the next one, each change with its reason.

``experience.py`` is what is known, as a value; rules, one a function, make revisions of it: for ranges in
``ranges.py``, for choices in ``options.py``, for what does not matter in ``fixing.py``, for the search in
``search.py``. ``policy.py`` says which rule comes when, and takes no revision that would leave a spec with a mistake;
``consequences.py`` removes what has lost its sense. All of that is pure. ``draft.py`` puts it into the user's own text,
and ``paths.py`` keeps relative paths right where that lands elsewhere.
"""
