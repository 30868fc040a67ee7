"""What a screen shows of a sweep while it runs: read from its records alone, again and again, and cheaply.

``Follower`` looks at the records and gives a ``Scene``, a value; which of its trials are listed, and in which order, is
a question to its ``Listing``. Numbers of trials may be large, so the lists stay Arrow tables until they are shown.
"""
