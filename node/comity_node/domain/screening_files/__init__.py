"""Files of suppliers to be screened: which column holds what, whom each row asks about, what is written beside it.

Rules:
- Every row of the file is a row of the result, in its order, with its cells as they are.
- A row that cannot be asked about says so in words, and the rest is done. It is never called searched.
- No state is empty, and none is a clearance.
"""
