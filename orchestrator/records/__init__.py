"""The files of a sweep, their columns, and what writes and reads them; nothing here decides anything about a sweep."""

SCHEMA_VERSION = 1
"""The version of the record format, stored in sweep.json. Readers refuse a newer one."""
