"""Ray embedded in this process: started, watched, cleaned up after; a Ray started by others is in existing/."""
