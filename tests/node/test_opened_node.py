"""A node as its parts open it: which registry it goes by when its clock is set back, and on which tables it works."""

import asyncio

import pytest
import typer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from comity_node.app.serving import serve
from comity_node.cli.node import check, screen
from comity_node.cli.status import status
from comity_node.db.migrate import DatabaseUnfit, is_in_use, migrate_async, newest_revision, require_tables
from comity_schemas.member import MemberStatus
from node_world import Clock, Town, exchanging, until


async def test_a_clock_that_is_set_back_keeps_no_old_registry(town: Town) -> None:
    clock = Clock()
    house = await town.found("agency", clock=clock)
    await town.found("body")
    await town.refresh()
    assert (await house.node.registry()).member("body").status is MemberStatus.ACTIVE
    town.world.suspend("body", 0)
    assert house.node.registry_client is not None
    house.node.registry_client.refresh()
    clock.pass_time(hours=-3)
    assert (await house.node.registry()).member("body").status is MemberStatus.SUSPENDED


async def says(url: str, revision: str | None) -> None:
    """Let a database say that another release has made its tables, or none."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        if revision is None:
            await connection.execute(text("drop table alembic_version"))
        else:
            await connection.execute(text("update alembic_version set version_num = :to"), {"to": revision})
    await engine.dispose()


async def test_tables_of_this_release_are_told_from_those_of_others_and_from_none(migrated_url: str) -> None:
    await require_tables(migrated_url)
    for revision, told in (("0001", "earlier release"), ("9999", "later release"), (None, "holds no tables")):
        await says(migrated_url, revision)
        with pytest.raises(DatabaseUnfit, match=told):
            await require_tables(migrated_url)
        if revision == "0001":
            await require_tables(migrated_url, of_this_release=False)
        else:
            with pytest.raises(DatabaseUnfit, match=told):
                await require_tables(migrated_url, of_this_release=False)


async def test_the_newest_revision_is_the_one_that_a_database_is_brought_to(empty_url: str) -> None:
    assert not await is_in_use(empty_url)
    await migrate_async(empty_url)
    await require_tables(empty_url)
    assert not await is_in_use(empty_url)


async def test_an_empty_database_in_the_place_of_a_lost_one_is_not_begun_anew_on(town: Town) -> None:
    house = await town.found("agency")
    url = house.node.settings.database
    assert await is_in_use(url)
    await town.close()
    (house.home / "node.db").unlink()
    with pytest.raises(DatabaseUnfit, match="holds no tables"):
        await serve(house.home)
    assert not await is_in_use(url)


async def test_commands_and_the_exchange_say_that_the_tables_are_another_releases(town: Town) -> None:
    house = await town.found("agency")
    await town.refresh()
    newest, url = newest_revision(), house.node.settings.database
    await says(url, "0001")
    for command, *words in ((status,), (check,), (screen, "Exemplar Gloves")):
        app = typer.Typer()
        app.command()(command)
        ran = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--home", str(house.home)])
        assert ran.exit_code == 1 and isinstance(ran.exception, SystemExit), ran.output
        assert "of an earlier release" in " ".join(ran.output.split())

    async def told() -> str:
        async with house.node.database.read() as store:
            return next((each.text for each in await store.conditions.all() if each.name == "database"), "")

    async with exchanging(house):
        assert "earlier release" in await until("it waits", told)
        await says(url, newest)

        async def goes_on() -> bool:
            return not await told()

        await until("it goes on", goes_on)
