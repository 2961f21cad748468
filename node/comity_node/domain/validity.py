"""How long a finding stands, by the rule of its scheme. Everything expires.

A report may state an end of its own; its month counts, as long as it lies within the scheme's rule. Where the scheme
has no rule, as SMETA, the report's end counts, and without one the member's own number of months.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from comity_schemas.finding import SourceType
from comity_schemas.report import Report


class Rule(NamedTuple):
    """Months from the audit: where the report says nothing, and at most."""

    usual: int
    most: int


RULES: Final[Mapping[str, Rule]] = {
    "amfori": Rule(12, 24),  # A and B two years, C and D one; the report's own date tells which
    "RBA": Rule(24, 24),
    "SLCP": Rule(12, 12),
    "SA8000": Rule(36, 36),  # the certificate
    "TfS": Rule(36, 36),  # all findings are audited again within three years
}
"""By how a scheme's code begins, whatever its version. docs/fairness.md says where each is from."""


def rule_of(scheme: str) -> Rule | None:
    """Return a scheme's own rule, if it has one."""
    code = scheme.casefold()
    return next((rule for begins, rule in RULES.items() if code.startswith(begins.casefold())), None)


def valid_until(report: Report, member_months: int) -> date:
    """Return the last day on which a finding of a report stands.

    Args:
        report: The full report.
        member_months: The member's own, where neither scheme nor report says how long.
    """
    rule, stated = rule_of(report.scheme), _stated(report)
    if rule is None:
        return stated or _end(report, member_months)
    if stated is None:
        return _end(report, rule.usual)
    return min(stated, _end(report, rule.most))


def protected_until(report: Report, member_months: int) -> date:
    """Return the last day on which something from a protected source stands: of the report only years count.

    Args:
        report: The full report; its scheme tells nothing here, since it is not told either.
        member_months: The member's own; counted from the end of the year.
    """
    until = _months_after(report.finished.year, 12, member_months)
    return until if report.valid_until is None else min(until, date(report.valid_until.year, 12, 31))


def _stated(report: Report) -> date | None:
    """Return the report's own date, to the end of its month: schemes count it from the day of the audit, to the day.

    What a public register published tells nothing more by its day.
    """
    own = report.valid_until
    if own is None or report.source is SourceType.PUBLIC_REGISTER:
        return own
    return _months_after(own.year, own.month, 0)


def _end(report: Report, months: int) -> date:
    # Counted from what `when` tells, to the end of a month: the day would tell when the audit ended, and who spoke.
    month = report.finished.month if report.finished_precision == "day" else 1
    return _months_after(report.finished.year, month, months)


def _months_after(year: int, month: int, months: int) -> date:
    year, before = divmod(year * 12 + month - 1 + months, 12)
    return date(year, before + 1, monthrange(year, before + 1)[1])
