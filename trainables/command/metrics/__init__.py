"""Reads records out of what a program prints or writes, one format a file; nothing about the steps they belong to."""
