"""What a sweep leaves on disk: Parquet logs that only grow, one table of trials, and the sweep's provenance.

`paths` names the files, `schema` their columns, `encode` and `decode` turn rows into columns and back; `log`,
`trials` and `recorder` write, `find` and `load` read. Nothing here decides anything about a sweep.
"""

SCHEMA_VERSION = 1
"""The version of the records, kept in sweep.json. A reader refuses a newer one."""
