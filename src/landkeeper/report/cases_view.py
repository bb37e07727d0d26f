"""Broom's cases in the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from landkeeper.broom.case import State
from landkeeper.org import format_time
from landkeeper.report.document import BroomView, CaseView

if TYPE_CHECKING:
    from landkeeper.broom.case import Case
    from landkeeper.report.report_input import Ledger

MOST_CASES = 1000
"""Older cases are counted and left out, so that the page opens even after a month of faulty launches."""

SETTLED_STATES = (State.ACTED, State.REPORTED, State.GONE)
"""Final states. Such a case is in the report if it was settled recently."""
OPEN_STATES = (State.WAITING, State.JUDGED, State.ACTING, State.HELD, State.FAILED)
"""States of open cases. These are in the report, however old they are."""


def view_broom(ledger: Ledger, names: Mapping[str, str], most: int = MOST_CASES) -> BroomView:
    """Return the cases, most recent change first. `names` are the account names by id."""
    newest = sorted(ledger.cases, key=lambda case: (case.changed_at, case.instance_id), reverse=True)
    shown = tuple(_view_case(case, names.get(case.account, "")) for case in newest[:most])
    return BroomView(format_time(ledger.since), len(newest) - len(shown), shown)


def _view_case(case: Case, account_name: str) -> CaseView:
    return CaseView(
        instance=case.instance_id,
        account=case.account,
        account_name=account_name,
        region=case.region,
        state=str(case.state),
        outcome=None if case.outcome is None else str(case.outcome),
        rule=case.rule,
        how=case.how,
        action=None if case.action is None else str(case.action),
        principal=case.principal.name,
        image=case.image_id,
        type=case.instance_type,
        tags=dict(case.logged_tags if case.live_tags is None else case.live_tags),
        launched=format_time(case.event_time),
        opened=format_time(case.opened_at),
        changed=format_time(case.changed_at),
        because=case.how or (case.story[-1].because if case.story else ""),
        moves=tuple((format_time(step.at), str(step.state), step.because) for step in case.story),
    )
