"""A Ray cluster that runs already: joining it, asking its nodes what they are like, and asking it for more of them.

Nothing here starts or ends a node of Ray.
"""
