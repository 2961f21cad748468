"""Reading a report that is stored."""

from comity_federation.signed_reports import read_sections
from comity_node.db.reports import StoredReport
from comity_schemas.report import Report


def open_stored(stored: StoredReport) -> Report:
    """Return the report behind stored bytes; they were verified when they came."""
    return read_sections(stored.raw) if stored.origin == "signed" else Report.model_validate_json(stored.raw)
