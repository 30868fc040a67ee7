"""Commands about a sweep that runs elsewhere, in a Slurm job or on a Ray cluster; how it gets there is in `sites`."""
