"""The story: each chapter does something real, checks what came of it, and says it in a few lines."""

import asyncio
import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any, ClassVar

from comity_federation.encoding import digest
from comity_federation.statements import Outgoing
from comity_node.demo.attacks import EXPECTED, attack
from comity_node.demo.stage import AGENCY, BODY, FIRM, MEMBERS, Stage, wait_for
from comity_node.remote import NodeRefused, Remote
from comity_node.wiring.home import Home
from comity_schemas.errors import ComityError
from comity_schemas.handling import Handling

_FILES = files("comity_node.demo")
_REPORTS = ("gloves", "weaving", "garments")


class StepFailed(ComityError):
    """A chapter did not come out as it must."""

    code: ClassVar[str] = "demo.step-failed"


@dataclass(slots=True)
class Chapter:
    """One chapter and what it said."""

    title: str
    lines: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(slots=True)
class Story:
    """All chapters so far; `show` is told each line as it is said."""

    stage: Stage
    show: Callable[[str, str], None]
    chapters: list[Chapter] = field(default_factory=list)
    reports: dict[str, str] = field(default_factory=dict)
    statements: dict[str, str] = field(default_factory=dict)

    def chapter(self, title: str) -> Chapter:
        """Begin a chapter."""
        self.chapters.append(Chapter(title))
        self.show("title", f"{len(self.chapters)}. {title}")
        return self.chapters[-1]

    def say(self, line: str, kind: str = "text") -> None:
        """Say a line of the present chapter."""
        self.chapters[-1].lines.append(line)
        self.show(kind, line)

    def must(self, holds: bool, what: str) -> None:
        """Go on only if something holds.

        Raises:
            StepFailed: it does not.
        """
        if not holds:
            raise StepFailed(f"this must hold and does not: {what}")


def tell(story: Story) -> None:
    """Tell all of it.

    Raises:
        ComityError: the chapter that failed says why.
    """
    chapters = (_open, _sign_and_submit, _minimize, _release, _receive, _screen, _follow, _withdraw, _attacks, _check)
    for one in chapters:
        began = time.monotonic()
        one(story)
        story.chapters[-1].seconds = round(time.monotonic() - began, 1)


def _open(story: Story) -> None:
    chapter = story.chapter("Three organisations, one registry, one log each")
    stage = story.stage
    stage.make_registry()
    asyncio.run(stage.make_nodes())
    stage.start_nodes()
    for slug, (name, role, _) in MEMBERS.items():
        story.say(f"{name}: {role}, node at {stage.nodes[slug].url}")
    story.say("The registry is signed by 2 of 3 key holders; the bus between the nodes is trusted by nobody.")
    where = f"Apache Kafka at {stage.kafka}" if stage.kafka else "the embedded local log (one machine, for trying)"
    story.say(f"The bus: {where}")
    chapter.facts["bus"] = "kafka" if stage.kafka else "local"


def _sign_and_submit(story: Story) -> None:
    story.chapter("An auditor signs three reports offline and submits them to the agency")
    stage = story.stage
    auditor = stage.add_person(AGENCY, "Greta (auditor)", "auditor", firm=FIRM)
    for name in _REPORTS:
        report = stage.directory / f"{name}.json"
        report.write_text((_FILES / "reports" / f"{name}.json").read_text("utf-8"), encoding="utf-8")
        signed = stage.directory / f"{name}.signed.json"
        ran = stage.run_command(
            "report", "sign", str(report), "--key", str(stage.directory / "auditor.jwk"), "--out", str(signed)
        )
        story.must(ran.returncode == 0, f"comity report sign {name}: {ran.stderr.strip()}")
        raw = signed.read_bytes()
        receipt = auditor.post_bytes("/reports", raw, "application/vnd.comity.report+json")
        story.must(receipt["id"] == digest(raw), "the receipt names the exact bytes")
        story.reports[name] = receipt["id"]
        whom = json.loads(report.read_text("utf-8"))["party"]["names"][0]["text"]
        story.say(f"received whole, signature good: {whom}, {len(raw):,} bytes, receipt {receipt['id'][:12]}…")


def _minimize(story: Story) -> None:
    story.chapter("The agency sees exactly what would leave, beside what stays")
    reviewer = story.stage.add_person(AGENCY, "Ana (reviewer)", "reviewer")
    found = reviewer.get(f"/reports/{story.reports['gloves']}/drafts")
    draft = found["drafts"][0]
    indicators = ", ".join(i["indicator"] for i in draft["clear"]["indicators"])
    clear = draft["clear"]
    story.say(f"leaves    {draft['disclosed']['names'][0]['text']}, {clear['municipality']}, {clear['country']}")
    story.say(
        f"leaves    indicators {indicators}, severity {draft['clear']['severity']}, {draft['clear']['source']['when']}"
    )
    story.say(f"withheld  {', '.join(draft['withheld'])}: only digests leave, among decoys")
    stays = [f for f in found["fates"] if f["fate"] == "stays"]
    for path in ("observations.0.testimony", "observations.0.description", "team.0"):
        fate = next(f for f in stays if f["path"] == path)
        story.say(f"stays     {path}: {fate['why']}")
    story.say(f"stays     and {len(stays) - 3} more fields; every field of the report is accounted for")
    leaving = json.dumps([[d["clear"], d["disclosed"]] for d in found["drafts"]], ensure_ascii=False)
    report = found["report"]
    for kept in (report["team"][0], report["observations"][0]["testimony"], report["party"]["address"]):
        story.must(kept not in leaving, "nothing that stays is in what leaves")


def _release(story: Story) -> None:
    chapter = story.chapter("Two people release; the one who proposed cannot")
    stage = story.stage
    reviewer = stage.nodes[AGENCY].people["Ana (reviewer)"]
    stage.add_person(AGENCY, "Bakari (focal point)", "focal-point")
    proposed = []
    for name, report in story.reports.items():
        for draft in reviewer.get(f"/reports/{report}/drafts")["drafts"]:
            review = reviewer.post("/reviews", {"report": report, "observation": draft["observation"]})
            proposed.append((name, review["id"]))
    refused = _refusal(reviewer, f"/reviews/{proposed[0][1]}/approve")
    story.must(refused == "review.same-person", "the proposer is refused as second person")
    story.say(f"Ana proposed {len(proposed)} findings; her own approval was refused ({refused})")
    _hear(story, [review for _, review in proposed])

    def all_sent() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = reviewer.get("/published")["items"]
        return items if all(item["state"] == "sent" for item in items) else None

    published = wait_for("the agency's relay signs and sends", all_sent)
    by_review = {item["review"]: item for item in published}
    for name, review in proposed:
        story.statements.setdefault(name, by_review[review]["statement"])
    chapter.facts["published"] = len(published)
    story.say(f"Bakari approved them; the relay signed {len(published)} statements and the bus has stored them")


def _hear(story: Story, reviews: list[str]) -> None:
    """Ask who could be blamed, tell the suppliers, wait for the reply window, and release."""
    people = story.stage.nodes[AGENCY].people
    reviewer, focal = people["Ana (reviewer)"], people["Bakari (focal point)"]
    story.must(_refusal(focal, f"/reviews/{reviews[0]}/approve") == "review.not-yet", "nothing leaves before the check")
    for review in reviews:
        focal.post(f"/reviews/{review}/check", {"blamed": ["nobody"], "outcome": "notify"})
        if focal.get(f"/reviews/{review}/readers")["waits"]:
            focal.post(f"/reviews/{review}/consent")
        clock = reviewer.post(f"/reviews/{review}/notify")["process"]["in_words"]
    story.say("Who could be blamed for it was asked first: nobody, so the suppliers were told and may reply")
    story.say(f"The clock: {clock}")
    shortened = Home(story.stage.nodes[AGENCY].home).settings().windows.differences()
    story.say(f"This stage is for trying: {'; '.join(shortened)}. Production refuses that")
    for review in reviews:
        wait_for("the reply window ends", partial(_released, focal, review))


def _released(focal: Remote, review: str) -> Any:
    ready = focal.get(f"/reviews/{review}")["process"]["stage"] == "ready"
    return focal.post(f"/reviews/{review}/approve") if ready else None


def _receive(story: Story) -> None:
    chapter = story.chapter("Every node verifies what it received, by itself")
    expected = story.chapters[-2].facts["published"]
    for slug in (BODY, FIRM):
        admin = story.stage.nodes[slug].admin

        def caught_up(admin: Remote = admin) -> dict[str, Any] | None:
            network = admin.get("/network")
            found: dict[str, Any] = next(m for m in network["members"] if m["slug"] == AGENCY)
            return found if found["head"] == expected and network["coverage"]["complete"] else None

        agency = wait_for(f"{slug} accepts what was published", caught_up)
        story.must(agency["records"].get("accepted") == expected, f"{slug} accepted {expected} statements")
        story.say(f"{MEMBERS[slug][0]}: {expected} of {expected} statements verified and accepted")
    chapter.facts["accepted"] = expected


def _screen(story: Story) -> None:
    chapter = story.chapter("A procurement officer screens a tender; nobody learns whom")
    officer = story.stage.add_person(BODY, "Sanna (officer)", "officer")
    answers = _tender(officer)
    chapter.facts["screening"] = answers
    for bidder, answer in zip(_bidders(), answers["answers"], strict=True):
        story.say(_line(bidder, answer), kind="answer")
    found = {b["bidder"] for b, a in zip(_bidders(), answers["answers"], strict=True) if a["findings"]}
    story.must({"B-01", "B-03", "B-06", "B-08"} <= found, "the three suppliers are found in their own scripts")
    by_number = answers["answers"][0]
    story.must(by_number["verdict"] == "match", "an equal identifier is a match")
    story.must(answers["answers"][3]["verdict"] == "review", "a name alone, with another number, is for review only")
    places = ", ".join(f"{slug} {head}" for slug, head in answers["positions"].items())
    story.say(f"{answers['coverage']['in_words']}; asked at log positions {places}")
    story.say("Nothing found is no clearance: it says only what these members have shared.")


def _follow(story: Story) -> None:
    story.chapter("The audit firm sees what became of its reports")
    auditor = story.stage.nodes[AGENCY].people["Greta (auditor)"]
    for name, report in story.reports.items():
        status = auditor.get(f"/reports/{report}")
        said = ", ".join(f"{o['observation']} {o['state']}" for o in status["observations"])
        story.say(f"{name}: {said}")
        story.must(any(o["state"] == "published" for o in status["observations"]), "each report led to a finding")


def _withdraw(story: Story) -> None:
    story.chapter("Two people take a finding back, and it is gone from the other's answer")
    people = story.stage.nodes[AGENCY].people
    target = story.statements["weaving"]
    body = {"statement": target, "reason": "factual-error"}
    review = people["Ana (reviewer)"].post("/withdrawals", body)
    people["Bakari (focal point)"].post(f"/reviews/{review['id']}/approve")
    officer = story.stage.nodes[BODY].people["Sanna (officer)"]
    question = {"suppliers": [{"name": "示例织造有限公司", "country": "CN"}]}

    def changed() -> str | None:
        state: str = officer.post("/screenings", question)["answers"][0]["state"]
        return state if not state.startswith("findings shared") else None

    state = wait_for("the withdrawal reaches the procurement body", changed)
    story.must(state == "known, no finding shared", "the withdrawn finding no longer counts")
    story.say(f"示例织造有限公司 is now: {state}")


def _attacks(story: Story) -> None:
    chapter = story.chapter("A hostile broker writes a forged, a tampered and a replayed record")
    stage = story.stage
    officer = stage.nodes[BODY].people["Sanna (officer)"]
    genuine = officer.get_bytes(f"/records/{story.statements['gloves']}")
    reviewer = stage.nodes[AGENCY].people["Ana (reviewer)"]
    shown = next(r for r in reviewer.get("/reviews", state="approved")["items"] if r["act"] == "release")
    outgoing = Outgoing("finding", Handling.from_parsed(shown["handling"]), shown["clear"], shown["disclosed"], {})
    before = stage.nodes[BODY].admin.get("/network")
    asyncio.run(attack(stage.hostile_bus(), genuine, outgoing))

    def quarantined() -> dict[str, Any] | None:
        found = {q["code"]: q for q in stage.nodes[BODY].admin.get("/quarantine")["items"]}
        return found if len(found) >= len(EXPECTED) else None

    refused = wait_for("the records land in quarantine", quarantined)
    for code, (slug, step) in EXPECTED.items():
        found = refused.get(code)
        story.must(
            found is not None and (found["member"], found["step"]) == (slug, step), f"{code} is refused at {step}"
        )
        story.say(f"refused at step {step} ({code}), kept in quarantine with its bytes, log of {slug}")
    after = stage.nodes[BODY].admin.get("/network")
    heads = [{m["slug"]: m["head"] for m in network["members"]} for network in (before, after)]
    story.must(heads[0] == heads[1], "no attack moved a log")
    chapter.facts["quarantined"] = sorted(refused)


def _check(story: Story) -> None:
    chapter = story.chapter("Anyone can check, offline")
    stage = story.stage
    record = stage.directory / "gloves.record.json"
    officer = stage.nodes[BODY].people["Sanna (officer)"]
    record.write_bytes(officer.get_bytes(f"/records/{story.statements['gloves']}"))
    root = str(stage.registry / "metadata" / "1.root.json")
    checks: dict[str, tuple[str, ...]] = {
        f"comity check ({slug})": ("check", "--home", str(node.home)) for slug, node in stage.nodes.items()
    }
    checks["comity verify"] = ("verify", str(record), "--registry", str(stage.registry), "--root", root)
    for what, words in checks.items():
        ran = stage.run_command(*words)
        story.must(ran.returncode == 0, f"{what}: {ran.stdout}{ran.stderr}")
        story.say(f"{what}: {ran.stdout.strip().splitlines()[0]}")
    chapter.facts["clean"] = True


def _tender(officer: Remote) -> Any:
    suppliers = []
    for bidder in _bidders():
        scheme, _, value = bidder["identifier"].partition(":")
        identifiers = [{"scheme": scheme, "id": value}] if scheme else []
        suppliers.append({"name": bidder["name"], "country": bidder["country"], "identifiers": identifiers})
    return officer.post("/screenings", {"suppliers": suppliers})


def _bidders() -> list[dict[str, str]]:
    return list(csv.DictReader((_FILES / "tender.csv").read_text("utf-8").splitlines()))


def _line(bidder: dict[str, str], answer: dict[str, Any]) -> str:
    verdict = f" [{answer['verdict']}]" if answer["findings"] else ""
    text = f"{bidder['bidder']} {bidder['name']}, {bidder['country']}: {answer['state']}{verdict}"
    if answer["findings"]:
        text += f" ({len(answer['findings'])}; {answer['findings'][0]['reason']})"
    return text


def _refusal(person: Remote, path: str) -> str | None:
    try:
        person.post(path)
    except NodeRefused as error:
        return str(error.problem.get("code"))
    return None
