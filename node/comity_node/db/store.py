"""All repositories of one transaction."""

from functools import cached_property

from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.accounts import Accounts
from comity_node.db.allowances import Allowances
from comity_node.db.as_of import Heads
from comity_node.db.backlog import Backlogs
from comity_node.db.behind import Behind, Kept
from comity_node.db.cases import Cases
from comity_node.db.changes import Changes
from comity_node.db.concerns import Concerns
from comity_node.db.conditions import Conditions
from comity_node.db.consents import Consents
from comity_node.db.contracts import Contracts
from comity_node.db.deliveries import Deliveries
from comity_node.db.due_process import DueProcess
from comity_node.db.evidence import EvidenceFiles
from comity_node.db.factory_lists import FactoryLists
from comity_node.db.facts import Facts
from comity_node.db.filings import Filings
from comity_node.db.foldings import Foldings
from comity_node.db.given_answers import GivenAnswers
from comity_node.db.jobs import Jobs
from comity_node.db.judgements import Judgements
from comity_node.db.keys import Seals
from comity_node.db.logs import Logs
from comity_node.db.mentions import Mentions
from comity_node.db.outbox import Outbox
from comity_node.db.peers import PeerWords
from comity_node.db.plans import LocalActs, Plans
from comity_node.db.pointers import OwnPointers
from comity_node.db.quarantine import Quarantine
from comity_node.db.received import ReceivedRecords
from comity_node.db.referrals import Referrals
from comity_node.db.reports import Reports
from comity_node.db.reviews import Reviews
from comity_node.db.rulings import Rulings
from comity_node.db.said_of import SaidOf
from comity_node.db.search import Search
from comity_node.db.sizes import NameSizes
from comity_node.db.skipped import SkippedOffsets
from comity_node.db.supplier_links import SupplierLinks
from comity_node.db.supplier_words import SupplierWords
from comity_node.db.suppliers import Suppliers
from comity_node.db.trail import Trail
from comity_node.db.vendor_contacts import VendorContacts
from comity_node.db.vendor_judgements import VendorJudgements
from comity_node.db.vendors import Vendors
from comity_node.db.view import View
from comity_node.db.watch_deliveries import WatchDeliveries
from comity_node.db.watches import Watches


class Store:
    """The repositories over one session; nobody but `Database` commits."""

    def __init__(self, session: AsyncSession, seals: Seals, kept: Kept, at: Heads | None = None) -> None:
        self._session = session
        self._seals = seals
        self._kept = kept
        self._at = at

    def as_of(self, heads: Heads) -> "Store":
        """Return the same transaction with the supplier view as it was at log positions.

        Only the view goes back: what people here entered and judged since, and the registry, are as they are.

        Args:
            heads: Member to the last place of its log that counts.
        """
        return Store(self._session, self._seals, self._kept, heads)

    @cached_property
    def accounts(self) -> Accounts:
        """People and their tokens."""
        return Accounts(self._session)

    @cached_property
    def reports(self) -> Reports:
        """Full reports."""
        return Reports(self._session, self._seals)

    @cached_property
    def rulings(self) -> Rulings:
        """What is held of authorities' decisions."""
        return Rulings(self._session)

    @cached_property
    def evidence(self) -> EvidenceFiles:
        """What is known of evidence files."""
        return EvidenceFiles(self._session)

    @cached_property
    def concerns(self) -> Concerns:
        """Objections, and what two people decide about a report."""
        return Concerns(self._session, self._seals)

    @cached_property
    def reviews(self) -> Reviews:
        """Proposals and decisions."""
        return Reviews(self._session)

    @cached_property
    def jobs(self) -> Jobs:
        """Imports and releases of many, and what of them was opened."""
        return Jobs(self._session)

    @cached_property
    def due_process(self) -> DueProcess:
        """Retaliation checks, notices and reply windows."""
        return DueProcess(self._session)

    @cached_property
    def links(self) -> SupplierLinks:
        """Suppliers' personal links."""
        return SupplierLinks(self._session, self._seals)

    @cached_property
    def vendor_contacts(self) -> VendorContacts:
        """The list of vendors' contacts; it stays here."""
        return VendorContacts(self._session, self._seals)

    @cached_property
    def words(self) -> SupplierWords:
        """What suppliers replied and disputed, as this node holds it."""
        return SupplierWords(self._session, self._seals)

    @cached_property
    def own_pointers(self) -> OwnPointers:
        """The pointers that this member has proposed."""
        return OwnPointers(self._session)

    @cached_property
    def plans(self) -> Plans:
        """Corrective-action plans; they stay here."""
        return Plans(self._session, self._seals)

    @cached_property
    def contracts(self) -> Contracts:
        """The contract register; it stays here."""
        return Contracts(self._session, self._seals)

    @cached_property
    def local_acts(self) -> LocalActs:
        """What was done to what stays here."""
        return LocalActs(self._session, self._seals)

    @cached_property
    def allowances(self) -> Allowances:
        """What two reviewers say to audits outside all authorisations."""
        return Allowances(self._session, self._seals)

    @cached_property
    def consents(self) -> Consents:
        """Focal points' consents to who reads a finding."""
        return Consents(self._session)

    @cached_property
    def cases(self) -> Cases:
        """People at risk."""
        return Cases(self._session, self._seals)

    @cached_property
    def referrals(self) -> Referrals:
        """Local contacts, and who is on duty."""
        return Referrals(self._session)

    @cached_property
    def outbox(self) -> Outbox:
        """What waits to be signed and sent, and what was."""
        return Outbox(self._session)

    @cached_property
    def logs(self) -> Logs:
        """What is known of every log, and where reading goes on."""
        return Logs(self._session)

    @cached_property
    def received(self) -> ReceivedRecords:
        """Records received, their logs and positions."""
        return ReceivedRecords(self._session)

    @cached_property
    def deliveries(self) -> Deliveries:
        """How far others have said to have applied the own log."""
        return Deliveries(self._session)

    @cached_property
    def peers(self) -> PeerWords:
        """What members said outside their logs."""
        return PeerWords(self._session)

    @cached_property
    def view(self) -> View:
        """The supplier view."""
        return View(self._session, self._at)

    @cached_property
    def changes(self) -> Changes:
        """What changed in the supplier view, in its order."""
        return Changes(self._session)

    @cached_property
    def suppliers(self) -> Suppliers:
        """Suppliers as this node knows them."""
        return Suppliers(self._session)

    @cached_property
    def mentions(self) -> Mentions:
        """Which statements mention which suppliers."""
        return Mentions(self._session)

    @cached_property
    def foldings(self) -> Foldings:
        """Names that are stored folded."""
        return Foldings(self._session)

    @cached_property
    def said_of(self) -> SaidOf:
        """Of whom anything is said."""
        return SaidOf(self._session)

    @cached_property
    def sizes(self) -> NameSizes:
        """How large suppliers' names are, for the name index."""
        return NameSizes(self._session, self._kept.index)

    @cached_property
    def search(self) -> Search:
        """The name index."""
        return Search(self._session, self._kept.index)

    @cached_property
    def behind(self) -> Behind:
        """Names that the suppliers have not followed yet."""
        return Behind(self._session, self._kept)

    @cached_property
    def facts(self) -> Facts:
        """What people here entered of suppliers."""
        return Facts(self._session)

    @cached_property
    def factory_lists(self) -> FactoryLists:
        """Lists of factories."""
        return FactoryLists(self._session)

    @cached_property
    def judgements(self) -> Judgements:
        """What people judged of suppliers."""
        return Judgements(self._session)

    @cached_property
    def vendors(self) -> Vendors:
        """The rows of officers' own lists."""
        return Vendors(self._session, self._seals)

    @cached_property
    def vendor_judgements(self) -> VendorJudgements:
        """What officers judged of their rows."""
        return VendorJudgements(self._session, self._seals)

    @cached_property
    def watches(self) -> Watches:
        """What officers watch, and what they were told."""
        return Watches(self._session, self._seals)

    @cached_property
    def deliveries_of_watches(self) -> WatchDeliveries:
        """What watches send."""
        return WatchDeliveries(self._session)

    @cached_property
    def filings(self) -> Filings:
        """Screenings on file."""
        return Filings(self._session, self._seals)

    @cached_property
    def trail(self) -> Trail:
        """The hash-chained trail."""
        return Trail(self._session)

    @cached_property
    def backlogs(self) -> Backlogs:
        """How much waits, and since when."""
        return Backlogs(self._session)

    @cached_property
    def quarantine(self) -> Quarantine:
        """What was refused."""
        return Quarantine(self._session)

    @cached_property
    def given_answers(self) -> GivenAnswers:
        """Answers given to writes under a key."""
        return GivenAnswers(self._session, self._seals)

    @cached_property
    def skipped(self) -> SkippedOffsets:
        """What the bus held and nobody can read."""
        return SkippedOffsets(self._session)

    @cached_property
    def conditions(self) -> Conditions:
        """What holds the node up now."""
        return Conditions(self._session)
