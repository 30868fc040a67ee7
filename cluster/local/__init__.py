"""Ray on this machine, embedded in the driver's process: started, watched, and cleaned up after.

A Ray that somebody else has started does not belong here, but in ``existing``.
"""
