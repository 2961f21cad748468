"""Who is asking: people with opaque bearer tokens, other members' nodes, suppliers with a link. Closed by default.

Every route but health and sign-in depends on `people.person_with` or `peers.calling_member`; a test walks all routes
and fails on one that does not.
"""

from comity_node.auth.peers import CallingMember, PeerLimits
from comity_node.auth.people import (
    Admin,
    Auditor,
    AuditReader,
    ContractKeeper,
    FocalPoint,
    MetricsReader,
    Officer,
    ReconcilingOfficer,
    RecordReader,
    Releaser,
    ReportReader,
    Reviewer,
    SignedIn,
    Staff,
    SupplierReader,
    ThisNode,
    current_person,
    metrics_reader,
    person_with,
    this_node,
)
from comity_node.auth.saying import saying
from comity_node.auth.suppliers import link_holder

__all__ = [
    "Admin",
    "AuditReader",
    "Auditor",
    "CallingMember",
    "ContractKeeper",
    "FocalPoint",
    "MetricsReader",
    "Officer",
    "PeerLimits",
    "ReconcilingOfficer",
    "RecordReader",
    "Releaser",
    "ReportReader",
    "Reviewer",
    "SignedIn",
    "Staff",
    "SupplierReader",
    "ThisNode",
    "current_person",
    "link_holder",
    "metrics_reader",
    "person_with",
    "saying",
    "this_node",
]
