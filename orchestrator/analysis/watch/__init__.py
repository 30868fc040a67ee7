"""Follows the records of a running sweep for a screen, reading only what changed; the screen itself is in cli/live/.

``Follower`` reads the records and returns a ``Scene``, a value; its ``Listing`` sorts and filters the trials. A sweep
may have many trials, so the tables stay in Arrow and only the rows shown become Python objects.
"""
