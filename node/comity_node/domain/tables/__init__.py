"""Tables as files that somebody else wrote: CSV and XLSX, read a row at a time and written the same way.

Rules:
- A file is bounded in bytes, rows, columns and cells before anything of it is believed.
- One row that cannot be read never spoils the next: it is told with its number.
- A formula is never computed, and nothing that is written can run as one.
"""
