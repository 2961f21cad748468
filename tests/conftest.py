"""What every test may ask for: a real Kafka, a real PostgreSQL, the published example data.

Servers start with the first test that needs one and are shared; several workers share those that start before them. A
server that cannot start is a failure, never a skip.
With ``CI`` set, any skip is a failure: what CI has not run, it has not checked.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

import servers

# No example has a deadline: a hiccup of a busy machine is no fault of the property. Speed has tests of its own.
hypothesis.settings.register_profile("without-deadline", deadline=None)
hypothesis.settings.load_profile("without-deadline")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--kafka VERSION`."""
    parser.addoption(
        "--kafka",
        dest="kafka_version",
        metavar="VERSION",
        help="run only what must hold on every version of Kafka (marked every_kafka), on this one",
    )


FIRST = (
    "test_starter.py", "test_local_servers.py", "test_benchmarks.py", "faults/test_crash.py", "node/test_demo.py",
    "node/test_settle.py", "federation/test_kafka_bus.py", "federation/test_kafka_refusals.py",
)  # fmt: skip
"""The files that take longest: dealt out first, so that no worker is left with one of them when the others are done."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put long files first. With `--kafka`, leave out every test whose broker that version would not be."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(FIRST))
    if config.getoption("kafka_version"):
        others = [item for item in items if item.get_closest_marker("every_kafka") is None]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.get_closest_marker("every_kafka") is not None]


@pytest.fixture(scope="session")
def kafka_options(pytestconfig: pytest.Config) -> list[str]:
    """The options of `local_broker.py` and `local_cluster.py` that choose the version asked for."""
    version = pytestconfig.getoption("kafka_version")
    return ["--version", version] if version else []


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before several workers begin, start the servers that they share: a worker's progress nobody sees."""
    if not session.config.getoption("numprocesses", None):
        return
    running = ExitStack()
    session.config.add_cleanup(running.close)
    for script, fact, name in SHARED:
        if name not in os.environ:
            with contextlib.suppress(servers.ServerFailed):  # The tests that need it will fail, and say so.
                servers.fetch(script)
                os.environ[name] = running.enter_context(servers.started(script))[fact]


SHARED = (
    (servers.LOCAL_BROKER, "bootstrap", "COMITY_TEST_KAFKA"),
    (servers.LOCAL_POSTGRES, "url", "COMITY_TEST_POSTGRES"),
)


def _fetch_in_sight(config: pytest.Config, script: Path, *options: str) -> None:
    """Fetch with pytest's capture lifted, so that whoever waits for a first download sees its progress."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        servers.fetch(script, *options)
    else:
        with capture.global_and_fixture_disabled():
            servers.fetch(script, *options)


def _serve(config: pytest.Config, script: Path, fact: str, *options: str) -> Iterator[str]:
    try:
        _fetch_in_sight(config, script, *options)
        with servers.started(script, *options) as announced:
            yield announced[fact]
    except servers.ServerFailed as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config, kafka_options: list[str]) -> Iterator[str]:
    """The bootstrap address of a real Kafka, shared by the whole run: use topic names of your own."""
    given = os.environ.get("COMITY_TEST_KAFKA")
    if given and not kafka_options:
        yield given
    else:
        yield from _serve(pytestconfig, servers.LOCAL_BROKER, "bootstrap", *kafka_options)


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of a real PostgreSQL 18 whose user may create databases."""
    if given := os.environ.get("COMITY_TEST_POSTGRES"):
        yield given
    else:
        yield from _serve(pytestconfig, servers.LOCAL_POSTGRES, "url")


@pytest.fixture
def new_postgres_database(postgres_server: str) -> Iterator[Callable[..., str]]:
    """A function that gives the URL of one more database, empty or a copy of one; all are dropped after the test."""
    made: list[str] = []

    def make(of: str | None = None) -> str:
        made.append(servers.new_database(postgres_server) if of is None else servers.copy_database(postgres_server, of))
        return made[-1]

    yield make
    for url in made:
        servers.drop_database(postgres_server, url)


@pytest.fixture
def postgres_url(new_postgres_database: Callable[[], str]) -> str:
    """The URL (``postgresql+asyncpg://``) of an empty database for this test alone."""
    return new_postgres_database()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of published example data."""
    place = servers.shared_data()
    if place is None:
        pytest.skip("the example data is not there: put it at ../shared/data or name it in COMITY_SHARED_DATA")
    return place


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``CI`` set, count a skipped test as failed."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """With ``CI`` set, count a skipped module as failed."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept: {report.longrepr}"
