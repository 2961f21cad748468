"""Reading a report that is stored: as long as it is kept."""

from comity_federation.signed_reports import read_sections
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import ReportExpired, ReportKeyGone
from comity_schemas.report import Report


def exact_bytes(stored: StoredReport) -> bytes:
    """Return the bytes as they came.

    Raises:
        ReportExpired: its time was over, and its key is shredded.
        ReportKeyGone: its key is lost, or what lies in the database was changed.
    """
    if stored.expired_at is not None:
        raise ReportExpired(
            f"this report was kept until {stored.keep_until} and then destroyed; its hash, who signed it and what was "
            "published of it stay"
        )
    if not stored.raw:
        raise ReportKeyGone(
            "the key of this report is lost, or it was changed in the database; its hash and what was published of it "
            "stay. Restore keys/reports from a backup, or ask the auditor"
        )
    return stored.raw


def open_stored(stored: StoredReport) -> Report:
    """Return the report behind stored bytes; they were verified when they came.

    Raises:
        ReportExpired, ReportKeyGone: see there.
    """
    raw = exact_bytes(stored)
    return read_sections(raw) if stored.origin == "signed" else Report.model_validate_json(raw)
