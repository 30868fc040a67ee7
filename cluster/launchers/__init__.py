"""Ray clusters that a batch system starts for one sweep: script, nodes, queue; a site's wishes come in as values."""
