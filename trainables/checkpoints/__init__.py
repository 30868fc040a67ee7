"""What a trial saves and restores: states, random generators, files; not when a sweep deletes them."""
