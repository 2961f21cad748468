"""The terms that are proposed for whatever leaves."""

import pytest

from comity_node.domain.terms import proposed_terms
from comity_schemas.handling import Contact, Onward, PermittedUse, Tlp


@pytest.mark.parametrize("contact", list(Contact))
@pytest.mark.parametrize("clear", [True, False])
def test_every_proposal_says_that_it_is_no_sole_ground_for_exclusion(clear: bool, contact: Contact) -> None:
    terms = proposed_terms(clear=clear, contact=contact)
    assert PermittedUse.NOT_SOLE_GROUND_FOR_EXCLUSION in terms.permitted_use
    assert terms.purpose
    assert (terms.tlp, terms.onward) == ((Tlp.CLEAR, Onward.ANYONE) if clear else (Tlp.GREEN, Onward.MEMBERS))
    assert terms.contact is contact
