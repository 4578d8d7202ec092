"""Files of rows as other people have them, told by their ending: found, read, counted, written.

jsonl (or ndjson), json, csv and tsv, each also packed as .gz or .zst, and parquet. Text is UTF-8 unless a
byte order mark or a `Dialect` says other. What is wrong with one row is a `Fault`, for a ledger; where there
is none (`rows`, `table`) it is a ConfigError, as is a file that is damaged.
"""

from distillery.row_files.blocks import Block, blocks, row_blocks
from distillery.row_files.faults import Drop, Fault, Row
from distillery.row_files.names import ENDINGS, WRITTEN, ending, files, format_of
from distillery.row_files.tables import count, read, rows, table, write
from distillery.row_files.unpacked import Dialect

__all__ = [
    "ENDINGS",
    "WRITTEN",
    "Block",
    "Dialect",
    "Drop",
    "Fault",
    "Row",
    "blocks",
    "count",
    "ending",
    "files",
    "format_of",
    "read",
    "row_blocks",
    "rows",
    "table",
    "write",
]
