"""Ray clusters that a batch system starts for one sweep: script, nodes, queue; what a site asks for comes in as values."""
