"""Turns the results of a sweep into the spec of the next one, each change with its reason; nothing is written here.

``prior_results.py`` holds what is known, as a value. Rules, one per function, propose changes: for ranges in
``range_rules.py``, for choices in ``choice_rules.py``, for unimportant parameters in ``fix_unimportant.py``, for the
search in ``search_rules.py``. ``apply_rules.py`` applies them in order and rejects any change that would make the spec
invalid; ``prune.py`` removes what a change left without effect. All of this is pure. ``spec_text.py`` edits the user's
own text, ``relative_paths.py`` keeps relative paths valid in another directory, and ``propose.py`` reads the records.
"""
