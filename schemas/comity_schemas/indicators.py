"""The indicators: codes that a finding may carry, and codes that only the crosswalk knows.

Rules:
- What may leave is a closed list: the ILO's eleven indicators of forced labour, state-imposed forced labour,
  recruitment, the other fundamental rights at work, wages and hours.
- Environment, ethics, management systems and what hangs on them have codes of another type: no finding and no report
  can hold one.
- The words are always "indicator of forced labour reported", never "forced labour found", unless a court or an
  authority decided so.

What each code means, in words: `meanings`.
"""

from enum import StrEnum

from comity_schemas.wire import Wire


class Indicator(StrEnum):
    """Codes that a finding may carry: the ILO's eleven in the ILO's order, then the others."""

    ABUSE_OF_VULNERABILITY = "FL01"
    DECEPTION = "FL02"
    RESTRICTION_OF_MOVEMENT = "FL03"
    ISOLATION = "FL04"
    PHYSICAL_AND_SEXUAL_VIOLENCE = "FL05"
    INTIMIDATION_AND_THREATS = "FL06"
    RETENTION_OF_IDENTITY_DOCUMENTS = "FL07"
    WITHHOLDING_OF_WAGES = "FL08"
    DEBT_BONDAGE = "FL09"
    ABUSIVE_CONDITIONS = "FL10"
    EXCESSIVE_OVERTIME = "FL11"
    STATE_IMPOSED = "FL12"
    RECRUITMENT_FEES = "RC01"
    CONTRACT_TERMS = "RC02"
    UNCONTROLLED_RECRUITER = "RC03"
    CHILD_LABOUR = "CL01"
    WORST_FORMS_OF_CHILD_LABOUR = "CL02"
    FREEDOM_OF_ASSOCIATION = "FA01"
    COLLECTIVE_BARGAINING = "FA02"
    DISCRIMINATION = "DI01"
    VIOLENCE_AND_HARASSMENT = "HV01"
    SAFETY_AND_HEALTH = "HS01"
    FIRE_AND_BUILDING = "HS02"
    ACCOMMODATION = "HS03"
    LEGAL_WAGE = "WG01"
    DEDUCTIONS = "WG02"
    LIVING_WAGE = "WG03"
    HOURS_AND_REST = "WH01"


class CrosswalkOnly(StrEnum):
    """Codes for clauses of schemes that are about something else. Never published: no statement has room for them."""

    EMPLOYMENT_FORM = "EM01"
    GRIEVANCE_MECHANISM = "GR01"
    MANAGEMENT_SYSTEM = "MS01"
    AUDIT_INTEGRITY = "IN01"
    BUSINESS_ETHICS = "BE01"
    ENVIRONMENT = "EN01"
    PRIVACY = "PR01"
    SUPPLY_CHAIN_TRANSPARENCY = "TR01"


ILO_ELEVEN = tuple(Indicator)[:11]
"""The indicators of forced labour, in the ILO's order.

Source: ILO, Indicators of forced labour (2012; the same eleven in the revision of 2025).
"""


class Basis(StrEnum):
    """How an observation and an indicator hang together."""

    STATED = "stated"
    INFERRED = "inferred"


class IndicatorFound(Wire):
    """One indicator and whether the source stated it or a person inferred it."""

    indicator: Indicator
    basis: Basis
