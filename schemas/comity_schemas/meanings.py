"""What each code means: name, a plain sentence, what to look for, what to ask, and the source it stands on.

These English texts are the original. Translations stand beside them and never in their place.
Questions are for the supplier, its papers and its labour providers. None of them makes a worker speak in front of the
management: who answered an auditor could be told from it.
"""

from dataclasses import dataclass
from enum import StrEnum

from comity_schemas.indicators import ILO_ELEVEN, CrosswalkOnly, Indicator

ILO_SOURCE = "ILO, Indicators of forced labour (2012, revised 2025)"
_RECRUITMENT = "ILO, General principles and operational guidelines for fair recruitment, and definition of fees (2019)"


class Area(StrEnum):
    """What an indicator is about."""

    FORCED_LABOUR = "indicator of forced labour"
    STATE_IMPOSED = "state-imposed forced labour"
    RECRUITMENT = "recruitment"
    CHILD_LABOUR = "child labour"
    ASSOCIATION = "freedom of association"
    EQUALITY = "equality at work"
    SAFETY = "safety and health at work"
    WAGES = "wages"
    HOURS = "hours of work"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an indicator says, for someone who reads it for the first time."""

    area: Area
    name: str
    sentence: str
    look_for: tuple[str, ...]
    ask: tuple[str, ...]
    source: str


def reported(indicator: Indicator) -> str:
    """Return how an indicator is said of a supplier: "reported", never "found"."""
    meaning = MEANINGS[indicator]
    said = f"{Area.FORCED_LABOUR} " if meaning.area is Area.FORCED_LABOUR else ""
    return f"{said}reported: {meaning.name}"


def _forced(name: str, sentence: str, look_for: tuple[str, ...], ask: tuple[str, ...]) -> Meaning:
    return Meaning(Area.FORCED_LABOUR, name, sentence, look_for, ask, ILO_SOURCE)


_FORCED_LABOUR: tuple[Meaning, ...] = (
    _forced(
        "Abuse of vulnerability",
        "The employer takes advantage of a worker's weak position, such as having no other income or papers.",
        (
            "Migrants, minorities or indebted workers in the worst jobs, on terms that others would refuse.",
            "Housing, visa and job all depend on the same employer.",
        ),
        (
            "Which workers depend on you for visa, housing or food, and what happens to these when they leave?",
            "Do migrant workers have the same contracts and pay as local workers in the same job?",
        ),
    ),
    _forced(
        "Deception",
        "What was promised about the work, pay or conditions is not what the worker was given.",
        (
            "Two contracts of one worker that differ, or a contract signed only after arrival.",
            "Job advertisements that do not match the pay slips.",
        ),
        (
            "May we see the job offer, the contract signed at home and the contract in force, side by side?",
            "Who told the workers about pay and work, in which language, and when?",
        ),
    ),
    _forced(
        "Restriction of movement",
        "Workers may not freely enter and leave the workplace or their housing.",
        (
            "Locked gates or dormitories, guards who ask for passes, curfews for workers only.",
            "Exits that open from outside only.",
        ),
        (
            "Who holds the keys to the housing, and what must a worker do to go out after work?",
            "May we see the rules of the housing and the log of the gate?",
        ),
    ),
    _forced(
        "Isolation",
        "Workers are kept away from other people, from help, or from the means to call for it.",
        (
            "Remote sites, vessels or private homes without transport or telephone reception.",
            "Telephones taken away, visits refused, no posted number to call for help.",
        ),
        (
            "How does a worker reach the nearest town, a union or the labour inspection, and how often?",
            "Who may visit the site and the housing without asking the management?",
        ),
    ),
    _forced(
        "Physical and sexual violence",
        "Workers are hurt or abused, or violence is used to make them work.",
        (
            "Injuries without an accident report, fear of single supervisors, women leaving one line or shift.",
            "Guards or supervisors who carry sticks or weapons.",
        ),
        (
            "How are complaints about supervisors taken, by whom, and how many led to a measure last year?",
            "Is there a way to complain that does not go through the supervisor or the recruiter?",
        ),
    ),
    _forced(
        "Intimidation and threats",
        "Workers are threatened, for example with dismissal or police, if they complain or want to leave.",
        (
            "Answers that sound rehearsed, blacklists, fines for leaving, threats to call the immigration police.",
            "Dismissals soon after a complaint or an audit.",
        ),
        (
            "Who was dismissed in the three months after the last audit, and why?",
            "What does a worker lose who ends the contract early?",
        ),
    ),
    _forced(
        "Retention of identity documents",
        "Someone else holds workers' passports or papers, and they cannot get them back when they ask.",
        (
            "A cabinet or list of passports at the office, the recruiter or the dormitory.",
            "Forms in which workers agree that the employer keeps their papers.",
        ),
        (
            "Where are the workers' passports now, and may we see how a worker gets at one at any hour?",
            "Does the labour provider keep any papers or bank cards?",
        ),
    ),
    _forced(
        "Withholding of wages",
        "Wages are held back on purpose so that workers cannot leave.",
        (
            "Wages paid only at the end of a season or contract, deposits, unpaid first months.",
            "Savings that the employer keeps for the workers.",
        ),
        (
            "On which day is each month paid, and what was still open on the day of the audit?",
            "What is paid to a worker who leaves before the contract ends?",
        ),
    ),
    _forced(
        "Debt bondage",
        "Workers must work to pay off a debt, often for recruitment, that they cannot clear.",
        (
            "Loans and advances in the wage records, interest, debts that do not become smaller.",
            "Workers who do not know how much they owe.",
        ),
        (
            "Which advances and loans are outstanding, to whom, at what interest, and until when?",
            "What did workers pay to get this job, and has it been repaid to them?",
        ),
    ),
    _forced(
        "Abusive working and living conditions",
        "Workers live or work in conditions that are degrading or dangerous and would not freely accept.",
        (
            "Crowded, dirty or unsafe housing, no clean water, no protective equipment, no rest.",
            "Conditions that are worse for one group than for another.",
        ),
        (
            "How many people share a room, a toilet and a kitchen, and who inspects the housing?",
            "Could a worker refuse this work or this housing without losing the job?",
        ),
    ),
    _forced(
        "Excessive overtime",
        "Workers must work hours beyond the law's limits under some form of threat.",
        (
            "Overtime beyond the legal limit that nobody refuses, quotas that need it, second time books.",
            "Transport home that leaves only after the overtime.",
        ),
        (
            "Who decides on overtime, and what happens to a worker who says no?",
            "Can the minimum wage be earned without overtime?",
        ),
    ),
)

_OTHERS: dict[Indicator, Meaning] = {
    Indicator.STATE_IMPOSED: Meaning(
        Area.STATE_IMPOSED,
        "State-imposed forced labour",
        "A state makes people work: in prison for private gain, as a measure of its economy, or as a punishment.",
        (
            "Workers sent by a public programme who cannot refuse, prison workshops, guarded transfers of workers.",
            "Sites beside camps or prisons, subsidies per person taken on.",
        ),
        (
            "Which workers come through a public programme, and how did each one agree to it?",
            "Is any part of the production made in a prison or by detained people?",
        ),
        "ILO, Conventions 29 and 105; guidance beside the indicators (2025): not one of the eleven",
    ),
    Indicator.RECRUITMENT_FEES: Meaning(
        Area.RECRUITMENT,
        "Recruitment fees and related costs",
        "Workers paid for getting the job: a fee, travel, papers, tests or training.",
        (
            "Receipts of agents, loans taken before departure, deductions in the first months.",
            "Large differences in what workers of one nationality have paid.",
        ),
        (
            "What does each labour provider charge you, and what does it charge the workers?",
            "Have fees been repaid, to how many workers, and who checked it?",
        ),
        _RECRUITMENT,
    ),
    Indicator.CONTRACT_TERMS: Meaning(
        Area.RECRUITMENT,
        "Contract not understood, missing or exchanged",
        "Workers have no written contract that they understand, or it was exchanged for a worse one.",
        (
            "Contracts in one language only, blank or undated pages, copies that workers never received.",
            "Terms at work that are worse than those agreed before departure.",
        ),
        (
            "In which languages are contracts given, and how many days before departure?",
            "May we see five contracts of workers who came last year, with the first offers?",
        ),
        _RECRUITMENT,
    ),
    Indicator.UNCONTROLLED_RECRUITER: Meaning(
        Area.RECRUITMENT,
        "Recruiters and labour agents without control",
        "Workers come through agents or recruiters whom nobody licensed, chose with care or checks.",
        (
            "Agents without a licence, sub-agents in villages, no contract between supplier and agent.",
            "Workers who are paid by the agent and unknown to the personnel office.",
        ),
        (
            "Which agents and sub-agents supplied workers in the last two years, under which licences?",
            "When did you last check an agent, and what did you find?",
        ),
        f"{_RECRUITMENT}; Convention 181",
    ),
    Indicator.CHILD_LABOUR: Meaning(
        Area.CHILD_LABOUR,
        "Child labour",
        "Somebody works who is below the minimum age, or who is kept from school by work.",
        (
            "Missing or doubtful proofs of age, children near the machines, family members paid under one name.",
            "Work at home or in the fields that is paid by the piece.",
        ),
        (
            "How is the age of each worker checked, and what is done when a child is found?",
            "Who pays for school and lost income when a child is taken out of work?",
        ),
        "ILO, Convention 138 (minimum age)",
    ),
    Indicator.WORST_FORMS_OF_CHILD_LABOUR: Meaning(
        Area.CHILD_LABOUR,
        "Worst forms of child labour and hazardous work under 18",
        "Somebody below 18 does work that harms health, safety or morals, or is trafficked, bonded or exploited.",
        (
            "Workers under 18 at night, with chemicals, at heights, underground or on dangerous machines.",
            "Apprentices and students who do ordinary work at lower pay.",
        ),
        (
            "Which jobs are closed to people under 18, and who sees to it on each shift?",
            "Which schools send students, for how long, and who agreed to it?",
        ),
        "ILO, Convention 182 (worst forms of child labour)",
    ),
    Indicator.FREEDOM_OF_ASSOCIATION: Meaning(
        Area.ASSOCIATION,
        "Freedom of association denied",
        "Workers may not form or join a union or choose their representatives, or suffer for doing so.",
        (
            "Dismissals of representatives, committees chosen by the management, forms that renounce a union.",
            "Union officers who may not enter.",
        ),
        (
            "How were the workers' representatives chosen, and when did they last meet without the management?",
            "What is in place where the law limits unions?",
        ),
        "ILO, Convention 87",
    ),
    Indicator.COLLECTIVE_BARGAINING: Meaning(
        Area.ASSOCIATION,
        "Collective bargaining refused",
        "The employer refuses to bargain with the workers' union, or ignores what was agreed.",
        (
            "An expired agreement, talks that never take place, conditions below the agreement.",
            "Single contracts that take workers out of the agreement.",
        ),
        (
            "Which agreement is in force, whom does it cover, and may we see it?",
            "When were the last talks, and what came of them?",
        ),
        "ILO, Convention 98",
    ),
    Indicator.DISCRIMINATION: Meaning(
        Area.EQUALITY,
        "Discrimination",
        "People are hired, paid, promoted or dismissed by sex, origin, religion, opinion or the like.",
        (
            "Different pay for the same work, pregnancy tests, job advertisements for one sex or origin.",
            "One group in all of the lowest jobs.",
        ),
        (
            "May we see pay by job and sex, with the reasons for differences?",
            "Are applicants tested or asked about pregnancy, health or origin?",
        ),
        "ILO, Conventions 100 and 111",
    ),
    Indicator.VIOLENCE_AND_HARASSMENT: Meaning(
        Area.EQUALITY,
        "Violence and harassment",
        "Workers are humiliated, harassed or punished at work, women and men in different ways.",
        (
            "Shouting, fines, body searches, supervisors who choose who gets work or overtime.",
            "Toilets, transport and night shifts where women are alone with supervisors.",
        ),
        (
            "Which punishments do the house rules name, and which were given last year?",
            "Who takes complaints of harassment, and is one of them a woman?",
        ),
        "ILO, Conventions 111 and 190",
    ),
    Indicator.SAFETY_AND_HEALTH: Meaning(
        Area.SAFETY,
        "Unsafe or unhealthy work",
        "Work endangers life or health, and what the law or the risk asks for is not done.",
        (
            "Unguarded machines, work at heights without protection, chemicals without ventilation or training.",
            "Accidents that were not reported.",
        ),
        (
            "May we see the assessment of risks, the register of accidents and the reports to the authority?",
            "Who pays for protective equipment?",
        ),
        "ILO, Conventions 155 and 187",
    ),
    Indicator.FIRE_AND_BUILDING: Meaning(
        Area.SAFETY,
        "Fire and building hazards",
        "In a fire, or if the building fails, people could not get out alive.",
        (
            "Locked or blocked exits, bars before windows, no alarm, cracks, floors added without permit.",
            "Sleeping places in or above the workshop.",
        ),
        (
            "When was the last evacuation drill, on every shift, and how long did it take?",
            "May we see the building permit and the last inspection of structure and electrics?",
        ),
        "ILO, Convention 155 and Recommendation 164",
    ),
    Indicator.ACCOMMODATION: Meaning(
        Area.SAFETY,
        "Poor accommodation, food or sanitation",
        "Housing, food, water or toilets that the employer provides fall short of decent standards.",
        (
            "Overcrowded rooms, no privacy, no locker, unsafe water, toilets shared by too many.",
            "Rent or food that costs more than outside.",
        ),
        (
            "How many people live in each room, and what do they pay?",
            "Who inspects housing and kitchen, and what was found last?",
        ),
        "ILO, Recommendation 115 (workers' housing); Convention 155",
    ),
    Indicator.LEGAL_WAGE: Meaning(
        Area.WAGES,
        "Pay below the legal wage",
        "Workers are paid less than the law or the agreement says, or later.",
        (
            "Pay below the minimum, unpaid overtime premiums, piece rates that do not reach the minimum.",
            "Pay slips that do not match the bank transfers.",
        ),
        (
            "May we see hours, pay slips and transfers of the same workers for three months?",
            "How is the overtime premium worked out?",
        ),
        "ILO, Conventions 95 and 131",
    ),
    Indicator.DEDUCTIONS: Meaning(
        Area.WAGES,
        "Wrongful deductions or missing pay records",
        "Money is taken from wages without right or agreement, or nobody can tell what was paid for what.",
        (
            "Fines, deposits, deductions for tools, housing or food, workers without pay slips.",
            "Two sets of books.",
        ),
        (
            "Which deductions were made last month, under which rule, and who agreed to them?",
            "Do workers get a pay slip in a language they read?",
        ),
        "ILO, Convention 95",
    ),
    Indicator.LIVING_WAGE: Meaning(
        Area.WAGES,
        "Pay below a living wage",
        "Pay for a normal week does not cover a decent life for a worker and the family. The law may not ask for it.",
        (
            "Basic pay far below published estimates for the region, families in debt, second jobs.",
            "Overtime needed to pay for rent and food.",
        ),
        (
            "Which estimate of a living wage do you use, and how far is basic pay below it?",
            "Do our own prices and dates allow for it?",
        ),
        "ILO, conclusions on wage policies, including living wages (2024)",
    ),
    Indicator.HOURS_AND_REST: Meaning(
        Area.HOURS,
        "Hours beyond the law or missing rest",
        "Hours are longer than the law allows, or days of rest are missing. By itself no sign of force.",
        (
            "Weeks over 60 hours, more than six days in a row, hours that the records do not show.",
            "Peaks in the weeks before deliveries.",
        ),
        (
            "May we see time records with production records of the busiest month?",
            "Did changes of our orders cause the overtime?",
        ),
        "ILO, Conventions 1, 14 and 30",
    ),
}

MEANINGS: dict[Indicator, Meaning] = {**dict(zip(ILO_ELEVEN, _FORCED_LABOUR, strict=True)), **_OTHERS}
"""Every code that a finding may carry, in the order of `Indicator`."""

CROSSWALK_ONLY: dict[CrosswalkOnly, str] = {
    CrosswalkOnly.EMPLOYMENT_FORM: "Form of employment, subcontracting, work at home",
    CrosswalkOnly.GRIEVANCE_MECHANISM: "Grievance mechanism and remedy",
    CrosswalkOnly.MANAGEMENT_SYSTEM: "Management system and due diligence",
    CrosswalkOnly.AUDIT_INTEGRITY: "Integrity of the audit: access, records, bribery",
    CrosswalkOnly.BUSINESS_ETHICS: "Business ethics and corruption",
    CrosswalkOnly.ENVIRONMENT: "Environment",
    CrosswalkOnly.PRIVACY: "Privacy and data protection",
    CrosswalkOnly.SUPPLY_CHAIN_TRANSPARENCY: "Transparency and mapping of the supply chain",
}
"""Names of the codes that never leave: they say what a clause is about, so that nobody looks for it elsewhere."""
