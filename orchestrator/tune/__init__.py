"""Runs a sweep through Ray Tune's public hooks, in the driver; decides nothing, and touches nothing private."""
