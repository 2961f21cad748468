"""Every error there is: a stable code, words, a status where the API can raise it, and nothing of what was stored."""

import importlib
import pkgutil
import re

import pytest

import comity_federation
import comity_node
import comity_schemas
from api_place import CANARY, Place
from comity_federation.signed_reports import ReportRefused
from comity_node.api.problems import STATUS
from comity_node.domain import errors as domain_errors
from comity_schemas.errors import ComityError


def all_errors() -> list[type[ComityError]]:
    for package in (comity_schemas, comity_federation, comity_node):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: list[type[ComityError]] = []
    waiting: list[type[ComityError]] = [ComityError]
    while waiting:
        found.append(one := waiting.pop())
        waiting += [sub for sub in one.__subclasses__() if sub.__module__.startswith("comity_")]
    return found


def test_every_error_has_a_stable_code_of_its_own() -> None:
    codes: dict[str, type[ComityError]] = {}
    for error in all_errors():
        assert "code" in vars(error), f"{error.__name__} inherits its code"
        assert re.fullmatch(r"[a-z]+([.-][a-z]+)*", error.code), error.code
        assert error.code not in codes, f"{error.__name__} and {codes[error.code].__name__} share {error.code}"
        codes[error.code] = error
    assert len(codes) > 40


def test_every_error_says_what_it_is() -> None:
    for error in all_errors():
        assert (error.__doc__ and error.__doc__ != ComityError.__doc__) or error is ComityError, error.__name__


RAISED_THROUGH_THE_API = ("report.", "review.", "import.", "request.")
"""Errors of these families reach people through the API, as does everything of `domain.errors`."""


NEVER_THROUGH_THE_API = {
    "decision.unreadable",
    "report.refused",
    "report.unreadable",
    "report.sheet-refused",
    "report.proof-broken",
}
"""A root that is never raised itself, and those of the command line."""


def test_every_error_that_the_api_can_raise_has_a_status_and_every_status_an_error() -> None:
    errors = all_errors()
    reaching = {
        e.code for e in errors if e.code.startswith(RAISED_THROUGH_THE_API) or e.__module__ == domain_errors.__name__
    } - NEVER_THROUGH_THE_API
    assert {e.code for e in errors if issubclass(e, ReportRefused)} <= reaching | NEVER_THROUGH_THE_API
    assert reaching <= set(STATUS)
    of_the_frame = {"request.malformed", "request.content-type", "request.too-large"}
    assert set(STATUS) - of_the_frame <= {e.code for e in errors}


async def test_an_error_of_the_database_does_not_show_what_was_to_be_stored(place: Place) -> None:
    with pytest.raises(Exception, match="UNIQUE") as caught:
        async with place.house.node.database.write() as store:
            person = place.officer.person
            await store.accounts.add_person(person, f"{CANARY}-hash")
    assert CANARY not in str(caught.value)
