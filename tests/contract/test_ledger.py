"""What every ledger does: DynamoDB, the SQLite file, and the one in memory."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.broom_world import LAUNCHED_AT, launch
from tests.ledger_tables import create_ledger_table
from tests.scripted_aws import Call, LostAnswer, scripted_aws
from tests.servers import home_sessions

from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.broom.case import Case, Outcome, State, mark_reported, move, open_case
from landkeeper.broom.dry_run import ScratchLedger
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.ports import Ledger
from landkeeper.broom.stored_case import LedgerError, case_to_record
from landkeeper.broom.switch import SWITCH_KEY, ActionSwitch, Turn, turned
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.simulators import Embedded
from landkeeper.org import FailureReason
from landkeeper.settings import Settings
from landkeeper.wiring.broom.switch import TableSwitch

LATER = LAUNCHED_AT + timedelta(minutes=1)


@pytest.fixture(params=["memory", "file", pytest.param("table", marks=pytest.mark.embedded)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    match request.param:
        case "memory":
            yield ScratchLedger()
        case "file":
            with closing(LedgerFile(tmp_path / "landkeeper.db")) as file:
                yield file
        case _:
            request.getfixturevalue("aws_environment")
            client = home_sessions().home("dynamodb")
            name = f"Ledger-{uuid.uuid4().hex[:8]}"
            create_ledger_table(client, name)
            yield LedgerTable(client, name)


def a_case(id_: str = "i-1") -> Case:
    one = launch(id_, tags={"Name": "täg", "empty": ""})
    return move(
        open_case(one, one.instances[0], LAUNCHED_AT), State.JUDGED, LAUNCHED_AT, live_tags={}, rule="code", policy="0f"
    )


def test_an_empty_ledger_knows_no_case(ledger: Ledger) -> None:
    assert ledger.find_cases([InstanceId("i-1")]) == {}
    assert ledger.find_cases([]) == {}


def test_cases_are_found_as_they_were_written(ledger: Ledger) -> None:
    one, two = a_case("i-1"), a_case("i-2")
    assert ledger.write_case(one)
    assert ledger.write_case(two)
    assert ledger.find_cases([InstanceId("i-1"), InstanceId("i-9"), InstanceId("i-2")]) == {"i-1": one, "i-2": two}


def test_a_whole_life_is_kept(ledger: Ledger) -> None:
    case = a_case()
    assert ledger.write_case(case)
    case = move(case, State.ACTING, LATER, lease_until=LATER, action=Penalty.TERMINATE)
    assert ledger.write_case(case)
    case = move(case, State.ACTED, LATER, outcome=Outcome.DESTROYED, acted_at=LATER)
    assert ledger.write_case(case)
    case = mark_reported(case, LATER)
    assert ledger.write_case(case)
    assert ledger.find_cases([case.instance_id]) == {case.instance_id: case}


def test_a_write_that_comes_too_late_changes_nothing(ledger: Ledger) -> None:
    case = a_case()
    assert ledger.write_case(case)
    assert not ledger.write_case(case)
    mine, theirs = move(case, State.COMPLIANT, LATER), move(case, State.EXEMPT, LATER)
    assert ledger.write_case(theirs)
    assert not ledger.write_case(mine)
    assert ledger.find_cases([case.instance_id])[case.instance_id] == theirs


def test_a_version_cannot_be_skipped(ledger: Ledger) -> None:
    case = move(a_case(), State.ACTING, LATER)
    assert not ledger.write_case(case)
    assert ledger.find_cases([case.instance_id]) == {}


def test_of_many_writers_one_wins(ledger: Ledger) -> None:
    case = a_case()
    assert ledger.write_case(case)
    moved = move(case, State.ACTING, LATER)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: ledger.write_case(moved), range(24))) == 1


def test_a_counter_stops_at_its_limit(ledger: Ledger) -> None:
    assert [ledger.take("HOUR#1", 2, LATER) for _ in range(4)] == [True, True, False, False]
    assert ledger.take("HOUR#2", 2, LATER)
    assert not ledger.take("HOUR#3", 0, LATER)


def test_many_takers_never_get_more_than_the_limit(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: ledger.take("HOUR#1", 5, LATER), range(24))) == 5


def test_the_switch_is_on_until_somebody_turns_it_and_is_no_case(ledger: Ledger) -> None:
    assert ledger.read_switch() == ActionSwitch()
    off = turned(ActionSwitch(), Turn(is_on=False, by="arn:aws:iam::1:user/täg", at=LAUNCHED_AT, reason="audit"))
    ledger.write_switch(off)
    assert ledger.read_switch() == off
    again = turned(off, Turn(is_on=True, by="jane", at=LATER))
    ledger.write_switch(again)
    assert ledger.read_switch() == again
    assert [case for state in State for case in ledger.list_cases(state)] == []


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_table_that_is_not_there_is_an_error_that_names_it() -> None:
    table = LedgerTable(home_sessions().home("dynamodb"), "NoSuchLedger")
    with pytest.raises(LedgerError, match="the DynamoDB table 'NoSuchLedger' does not answer: not found"):
        table.find_cases([InstanceId("i-1")])
    with pytest.raises(LedgerError, match="'NoSuchLedger'"):
        table.write_case(a_case())
    with pytest.raises(LedgerError, match="'NoSuchLedger'"):
        table.read_switch()


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_a_first_deployment_turns_a_tables_switch_off_once() -> None:
    sessions, name = home_sessions(), f"Ledger-{uuid.uuid4().hex[:8]}"
    switch = TableSwitch(Settings(), sessions)
    missing = switch.keep_off(name)
    assert missing is not None
    assert missing.reason is FailureReason.NOT_FOUND
    create_ledger_table(sessions.home("dynamodb"), name)
    table = LedgerTable(sessions.home("dynamodb"), name)
    assert (switch.keep_off(name), switch.keep_off(name)) == (None, None)
    (off,) = table.read_switch().turns
    assert (off.is_on, off.by, off.reason) == (False, sessions.home_principal(), "first deployment")
    table.write_switch(turned(table.read_switch(), Turn(is_on=True, by="jane", at=LATER)))
    assert switch.keep_off(name) is None
    assert [turn.is_on for turn in table.read_switch().turns] == [False, True, False]
    sessions.home("dynamodb").put_item(TableName=name, Item={"InstanceId": {"S": SWITCH_KEY}})
    unreadable = switch.keep_off(name)
    assert unreadable is not None
    assert "cannot be read" in unreadable.message


def test_a_file_that_is_no_ledger_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not SQLite at all, whatever the name says" * 50)
    with pytest.raises(LedgerError, match=r"notes.txt' cannot be used as a ledger: file is not a database"):
        LedgerFile(path)
    with pytest.raises(LedgerError, match="unable to open"):
        LedgerFile(tmp_path / "no" / "folder.db")


def test_a_case_that_is_not_json_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "landkeeper.db"
    with closing(LedgerFile(path)) as ledger:
        ledger.write_case(a_case())
        ledger._connection.execute("UPDATE broom_cases SET item = '{'")
        with pytest.raises(LedgerError, match="holds a record that is not JSON"):
            ledger.find_cases([InstanceId("i-1")])


def test_a_file_keeps_its_cases(tmp_path: Path) -> None:
    case = a_case()
    with closing(LedgerFile(tmp_path / "landkeeper.db")) as ledger:
        ledger.write_case(case)
    with closing(LedgerFile(tmp_path / "landkeeper.db")) as ledger:
        assert ledger.find_cases([case.instance_id]) == {case.instance_id: case}


def test_cases_are_listed_by_state_the_first_due_first(ledger: Ledger) -> None:
    opened = [a_case(f"i-{number}") for number in range(5)]
    waiting = [
        move(case, State.WAITING, LATER, "wait", due_at=LATER + timedelta(minutes=5 - number))
        for number, case in enumerate(opened[:4])
    ]
    for case in (*opened, *waiting):
        assert ledger.write_case(case)
    assert list(ledger.list_cases(State.WAITING)) == waiting[::-1]
    assert list(ledger.list_cases(State.JUDGED)) == [opened[4]]
    assert list(ledger.list_cases(State.HELD)) == []
    soon, late = LATER + timedelta(minutes=3), LATER + timedelta(minutes=4)
    assert list(ledger.list_cases(State.WAITING, due_before=soon)) == [waiting[3], waiting[2]]
    assert list(ledger.list_cases(State.WAITING, due_after=soon, due_before=late)) == [waiting[2], waiting[1]]


@pytest.fixture(params=["file", pytest.param("table", marks=pytest.mark.embedded)])
def forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[timedelta | None], Ledger]]:
    """Opens one and the same ledger, as often as it is called, with how long it keeps what is settled."""
    with ExitStack() as stack:
        if request.param == "file":
            yield lambda keep: stack.enter_context(closing(LedgerFile(tmp_path / "landkeeper.db", keep=keep)))
            return
        request.getfixturevalue("aws_environment")
        client, name = home_sessions().home("dynamodb"), f"Ledger-{uuid.uuid4().hex[:8]}"
        create_ledger_table(client, name)
        yield lambda keep: LedgerTable(client, name, keep=keep)


def test_settled_cases_are_forgotten_in_time_and_open_ones_never(
    forgetful: Callable[[timedelta | None], Ledger],
) -> None:
    ledger, long_ago = forgetful(timedelta(days=30)), datetime.now(UTC) - timedelta(days=31)
    settled, recent, waiting = (a_case(f"i-{number}") for number in range(3))
    kept = [
        move(recent, State.COMPLIANT, long_ago + timedelta(days=2)),
        move(waiting, State.WAITING, long_ago, due_at=long_ago),
    ]
    for case in (settled, recent, waiting, move(settled, State.COMPLIANT, long_ago), *kept):
        assert ledger.write_case(case)
    for again in (ledger, forgetful(None)):
        ids = [InstanceId(f"i-{number}") for number in range(3)]
        assert again.find_cases(ids) == {case.instance_id: case for case in kept}
        assert [*again.list_cases(State.COMPLIANT), *again.list_cases(State.WAITING)] == kept
    # The instance turns up again: there is nothing in the way of a new case.
    assert forgetful(None).write_case(settled)
    assert ledger.find_cases([settled.instance_id]) == {settled.instance_id: settled}
    assert not ledger.write_case(settled)


def test_without_days_every_case_is_kept(forgetful: Callable[[timedelta | None], Ledger]) -> None:
    ledger, long_ago = forgetful(None), datetime.now(UTC) - timedelta(days=3650)
    case = a_case()
    settled = move(case, State.COMPLIANT, long_ago)
    assert ledger.write_case(case)
    assert ledger.write_case(settled)
    assert forgetful(timedelta(days=1)).find_cases([case.instance_id]) == {case.instance_id: settled}


def test_a_file_of_before_expiry_is_taken_on(tmp_path: Path) -> None:
    path, case = tmp_path / "landkeeper.db", a_case()
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("CREATE TABLE broom_cases (instance_id TEXT PRIMARY KEY, version INTEGER NOT NULL,"
                    " item TEXT NOT NULL) WITHOUT ROWID")  # fmt: skip
        old.execute("INSERT INTO broom_cases VALUES (?, 1, ?)", (case.instance_id, json.dumps(case_to_record(case))))
    for _ in range(2):
        with closing(LedgerFile(path, keep=timedelta(days=1))) as ledger:
            assert ledger.find_cases([case.instance_id]) == {case.instance_id: case}


def test_what_is_over_leaves_the_file(tmp_path: Path) -> None:
    path, case = tmp_path / "landkeeper.db", a_case()
    long_ago = datetime.now(UTC) - timedelta(days=31)
    with closing(LedgerFile(path, keep=timedelta(days=30))) as ledger:
        assert ledger.write_case(case)
        assert ledger.write_case(move(case, State.COMPLIANT, long_ago))
        assert ledger.take("HOUR#1", 1, long_ago)
        assert ledger.take("HOUR#2", 1, datetime.now(UTC) + timedelta(hours=1))
    with closing(LedgerFile(path)) as ledger:
        assert ledger.write_case(a_case("i-2"))
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT instance_id FROM broom_cases").fetchall() == [("i-2",)]
        assert file.execute("SELECT counter FROM broom_counters").fetchall() == [("HOUR#2",)]


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
def test_settled_cases_leave_the_table_in_time_and_open_ones_stay() -> None:
    client, name = home_sessions().home("dynamodb"), f"Ledger-{uuid.uuid4().hex[:8]}"
    create_ledger_table(client, name)
    table = LedgerTable(client, name, keep=timedelta(days=30))
    case, now = a_case(), datetime.now(UTC)
    settled = move(case, State.COMPLIANT, now)
    found = []
    for each in (case, settled):
        assert table.write_case(each)
        found.append(client.get_item(TableName=name, Key={"InstanceId": {"S": "i-1"}})["Item"].get("ExpiresAt"))
    assert found == [None, {"N": str(int((now + timedelta(days=30)).timestamp()))}]
    assert table.find_cases([InstanceId("i-1")]) == {"i-1": settled}
    assert client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["AttributeName"] == "ExpiresAt"


class RepeatingConnection:
    """A connection that makes every write twice, and answers as the second time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if statement.startswith(("INSERT INTO broom_cases", "UPDATE broom_cases")):
            self._connection.execute(statement, values)
        return self._connection.execute(statement, values)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(params=["file", pytest.param("table", marks=pytest.mark.embedded)])
def repeating(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Ledger]]:
    """Opens a ledger, and the same ledger again, to which each write is made twice as its first answer is lost."""
    with ExitStack() as stack:
        if request.param == "file":

            def open_file() -> LedgerFile:
                file = stack.enter_context(closing(LedgerFile(tmp_path / "landkeeper.db")))
                file._connection = RepeatingConnection(file._connection)  # type: ignore[assignment]
                return file

            yield open_file
            return
        simulators: Embedded = request.getfixturevalue("aws_environment")
        name = f"Ledger-{uuid.uuid4().hex[:8]}"
        create_ledger_table(home_sessions().home("dynamodb"), name)
        aws = stack.enter_context(scripted_aws(simulators.ministack_url))
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", aws.url)

        def lose_first(call: Call) -> LostAnswer | None:
            """Every other write is the repeated one."""
            is_write = call.action in {"PutItem", "UpdateItem"}
            return LostAnswer() if is_write and (aws.count("PutItem") + aws.count("UpdateItem")) % 2 else None

        aws.script = lose_first
        yield lambda: LedgerTable(home_sessions().home("dynamodb"), name)


def test_a_write_whose_answer_was_lost_is_known_for_ones_own(repeating: Callable[[], Ledger]) -> None:
    mine, theirs = repeating(), repeating()
    case = a_case()
    assert mine.write_case(case)
    moved = move(case, State.ACTING, LATER)
    assert mine.write_case(moved)
    # The same words written by another run are not one's own.
    assert not theirs.write_case(moved)
    assert not theirs.write_case(case)
    assert theirs.find_cases([case.instance_id]) == {case.instance_id: moved}


@pytest.mark.embedded
@pytest.mark.parametrize("repeating", ["table"], indirect=True)
def test_a_count_whose_answer_was_lost_counts_once(repeating: Callable[[], Ledger]) -> None:
    ledger = repeating()
    assert [ledger.take("HOUR#1", 2, LATER) for _ in range(3)] == [True, True, False]
