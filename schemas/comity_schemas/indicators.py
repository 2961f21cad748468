"""The ILO's eleven indicators of forced labour, with their source and a plain sentence.

The words are always "indicator of forced labour reported", never "forced labour found", unless a court or an
authority decided so. Further fundamental rights at work follow with the crosswalk.

Source: ILO, Indicators of forced labour (2012; the same eleven in the revision of 2025).
"""

from dataclasses import dataclass
from enum import StrEnum

from comity_schemas.wire import Wire

ILO_SOURCE = "ILO, Indicators of forced labour (2012, revised 2025)"


class Indicator(StrEnum):
    """Codes of the eleven indicators, in the ILO's order."""

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


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an indicator says, for someone who reads it for the first time."""

    name: str
    sentence: str
    source: str = ILO_SOURCE


MEANINGS: dict[Indicator, Meaning] = {
    Indicator.ABUSE_OF_VULNERABILITY: Meaning(
        "Abuse of vulnerability",
        "The employer takes advantage of a worker's weak position, such as having no other income or papers.",
    ),
    Indicator.DECEPTION: Meaning(
        "Deception", "What was promised about the work, pay or conditions is not what the worker was given."
    ),
    Indicator.RESTRICTION_OF_MOVEMENT: Meaning(
        "Restriction of movement", "Workers may not freely enter and leave the workplace or their housing."
    ),
    Indicator.ISOLATION: Meaning(
        "Isolation", "Workers are kept away from other people, from help, or from the means to call for it."
    ),
    Indicator.PHYSICAL_AND_SEXUAL_VIOLENCE: Meaning(
        "Physical and sexual violence", "Workers are hurt or abused, or violence is used to make them work."
    ),
    Indicator.INTIMIDATION_AND_THREATS: Meaning(
        "Intimidation and threats",
        "Workers are threatened, for example with dismissal or police, if they complain or want to leave.",
    ),
    Indicator.RETENTION_OF_IDENTITY_DOCUMENTS: Meaning(
        "Retention of identity documents",
        "Someone else holds workers' passports or papers, and they cannot get them back when they ask.",
    ),
    Indicator.WITHHOLDING_OF_WAGES: Meaning(
        "Withholding of wages", "Wages are held back on purpose so that workers cannot leave."
    ),
    Indicator.DEBT_BONDAGE: Meaning(
        "Debt bondage", "Workers must work to pay off a debt, often for recruitment, that they cannot clear."
    ),
    Indicator.ABUSIVE_CONDITIONS: Meaning(
        "Abusive working and living conditions",
        "Workers live or work in conditions that are degrading or dangerous and would not freely accept.",
    ),
    Indicator.EXCESSIVE_OVERTIME: Meaning(
        "Excessive overtime", "Workers must work hours beyond the law's limits under some form of threat."
    ),
}


class Basis(StrEnum):
    """How an observation and an indicator hang together."""

    STATED = "stated"
    INFERRED = "inferred"


class IndicatorFound(Wire):
    """One indicator and whether the source stated it or a person inferred it."""

    indicator: Indicator
    basis: Basis
