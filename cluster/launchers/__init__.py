"""Ray clusters that a batch system starts for one sweep: the job's script, its part on each node, and the queue.

What a site wants to be asked for is not known here: it comes in as values.
"""
