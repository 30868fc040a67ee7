"""One running sweep in this process: starts it, drives it, records it, stops it; nothing that runs in workers."""
