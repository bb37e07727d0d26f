"""Broom's cases as the document has them."""

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
"""Older ones are counted and left out: a page with a month of somebody's mistake must still open."""

SETTLED_STATES = (State.ACTED, State.REPORTED, State.GONE)
"""States in which a case stays when it is done with; in the report while that is not long ago."""
OPEN_STATES = (State.WAITING, State.JUDGED, State.ACTING, State.HELD, State.FAILED)
"""States in which a case is a matter of now, however old it is."""


def view_broom(ledger: Ledger, names: Mapping[str, str], most: int = MOST_CASES) -> BroomView:
    """The cases, the one that moved last coming first. `names` are those of the accounts."""
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
