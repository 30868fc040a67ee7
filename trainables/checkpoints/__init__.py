"""How a trial saves and restores its state, and how the files look; not which files a sweep keeps."""
