"""Callbacks for the libraries that people train with, each library in a file of its own; needed by no other module."""
