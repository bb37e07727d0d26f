"""How much of each thing that AWS asks money for a month takes: quantities, named parts that add up."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, expm1

from landkeeper.operate.cost.figures import DAYS_A_MONTH, HOURS_A_MONTH, read_figures
from landkeeper.operate.cost.landscape import Landscape, TrailUse
from landkeeper.operate.cost.stack_facts import PolledQueue, StackFacts

Parts = Mapping[str, float]
"""Quantities of a month, by what they are for."""

_GB = 1024**3
_SECONDS_A_MONTH = HOURS_A_MONTH * 3600
_DISPATCHER, _WORKER, _NOTICES, _BROOM = "DispatcherFunction", "TrackerFunction", "NoticesFunction", "BroomFunction"
_QUEUES = {(_WORKER, "Accounts"): "accounts", (_WORKER, "Changes"): "changes", (_BROOM, "Queue"): "broom"}
_REPORTED_DAYS = 30
"""How long a case is in reports once it is settled."""
METRICS_OF_FUNCTIONS = 7
"""How many metrics the functions write into their logs."""


class Usage:
    """A month of a landscape with the stack as its template has it."""

    def __init__(self, landscape: Landscape, facts: StackFacts) -> None:
        self._land = landscape
        self._facts = facts
        self._figures = {name: figure.value for name, figure in read_figures().items()}
        self._queues = {_QUEUES[queue.function, queue.event]: queue for queue in facts.queues}

    def all(self) -> dict[str, Parts]:
        """Everything, by the name of its price."""
        used: dict[str, Parts] = {
            "lambda_requests": self.invocations(),
            "lambda_gb_seconds_arm64" if self._land.asked.arm else "lambda_gb_seconds_x86_64": self.gb_seconds(),
            "sqs_requests": self.sqs_requests(),
            "sns_publishes": self.publishes(),
            "eventbridge_events": self.events(),
            "scheduler_invocations": {"cases that wait longer than a queue can": self._month(self._land.broken_a_day)},
            **self.dynamodb(),
            "s3_gets": {"log files read": self._month(self._land.log_files_a_day),
                        "the policy, where there are launches": self._month(self._land.launches_a_day),
                        "looks at the report": self._runs(_NOTICES)},
            "s3_puts": {"the report": self._runs(_NOTICES), **self.trail_puts()},
            **self.trail(),
            **self.elsewhere(),
            "cloudwatch_alarms": self.alarms(),
            "cloudwatch_metrics": {"metrics in the functions' logs": METRICS_OF_FUNCTIONS},
            "cloudwatch_dashboards": {"the stack's dashboard": self._facts.dashboards},
            **self.logs(),
        }  # fmt: skip
        if self._land.asked.mails:
            used["sns_mails"] = {"reports": self._month(self._land.broken_a_day)}
        if self._land.asked.customer_key:
            used |= self.key()
        return used

    def messages(self) -> dict[str, float]:
        """Messages of each queue."""
        land, runs = self._land, self._runs(_DISPATCHER)
        audits = self._runs(_BROOM) * land.accounts
        broom = self._month(land.log_files_a_day + self._digests() + land.launches_a_day + land.broken_a_day)
        return {
            "accounts": runs * land.accounts,
            # A confirming read may follow the first.
            "changes": 2 * self._month(land.changes_a_day),
            "broom": broom + audits,
        }

    def batches(self) -> dict[str, float]:
        """Invocations for the messages of each queue."""
        messages = self.messages()
        accounts = ceil(self._land.accounts / self._figures["worker_accounts_a_batch"])
        return {
            "accounts": self._runs(_DISPATCHER) * accounts,
            "changes": messages["changes"],
            "broom": messages["broom"] / self._batch(self._queues["broom"], messages["broom"]),
        }

    def _batch(self, queue: PolledQueue, messages: float) -> float:
        """Messages that a batch has on average: the first, and what reaches its poller while the window is open."""
        rate = messages / _SECONDS_A_MONTH / self._pollers(queue)
        return min(queue.batch_size, 1 + rate * queue.window_seconds)

    def invocations(self) -> Parts:
        """Requests of Lambda."""
        batches = self.batches()
        return {
            "dispatcher": self._runs(_DISPATCHER),
            "workers, accounts": batches["accounts"],
            "workers, changes": batches["changes"],
            "notices": self._runs(_NOTICES),
            "broom, queue": batches["broom"],
            "broom, schedule": self._runs(_BROOM),
        }

    def gb_seconds(self) -> Parts:
        """Lambda's memory times its duration; waiting comes on top of computing, and starting cold is counted."""
        f, land = self._figures, self._land
        runs, batches = self._runs(_DISPATCHER), self.batches()
        share = f["worker_accounts_a_batch"] * land.regions / f["worker_regions_of_a_batch"]
        one_region = f["tracker_imports_cpu_ms"] + f["worker_cpu_cold_ms"] / f["worker_regions_of_a_batch"]
        many = f["tracker_imports_cpu_ms"] + f["worker_cpu_cold_ms"] * share
        broken, others = self._month(land.broken_a_day), self._month(land.launches_a_day - land.broken_a_day)
        files = self._month(land.log_files_a_day + self._digests())
        audit_ms = f["broom_audit_cpu_ms"] / f["broom_regions_of_an_audit"], f["broom_wait_audit_ms"]
        return {
            "dispatcher": runs * self._gb(_DISPATCHER, f["dispatcher_cpu_cold_ms"], f["tracker_wait_ms"]),
            "workers, accounts": batches["accounts"] * self._gb(_WORKER, many, f["worker_wait_ms"]),
            "workers, changes": batches["changes"] * self._gb(_WORKER, one_region, f["tracker_wait_ms"]),
            "notices": self._runs(_NOTICES) * self._gb(_NOTICES, f["notices_cpu_cold_ms"], f["tracker_wait_ms"]),
            "the report": self._runs(_NOTICES) * self._gb(_NOTICES, land.vpcs * f["report_cpu_a_vpc_ms"], 0),
            "broom, log files": files * self._gb(_BROOM, f["broom_cpu_a_file_ms"], f["broom_wait_a_file_ms"]),
            "broom, cold starts": f["broom_cold_share"]
            * batches["broom"]
            * self._gb(_BROOM, f["broom_imports_cpu_ms"] + f["broom_cpu_cold_ms"], 0),
            "broom, launches that keep the policy": others
            * self._gb(_BROOM, f["broom_cpu_compliant_ms"], f["broom_wait_compliant_ms"]),
            "broom, launches that break it": broken
            * self._gb(_BROOM, f["broom_cpu_destroyed_ms"], f["broom_wait_destroyed_ms"]),
            "broom, audits": self._runs(_BROOM) * land.accounts * land.regions * self._gb(_BROOM, *audit_ms),
        }

    def _gb(self, function: str, cpu_ms: float, wait_ms: float) -> float:
        """GB-seconds of one piece of work in a function: its CPU at the share of a core that the memory brings."""
        memory_mb = self._facts.memory_mb[function]
        core = min(1.0, memory_mb / self._figures["cpu_at_mb"])
        return memory_mb / 1024 * (cpu_ms / core + wait_ms) / 1000

    def sqs_requests(self) -> Parts:
        """Requests of SQS: sends, polls whether they find something or not, and a delete for each batch."""
        messages, batches = self.messages(), self.batches()
        # The dispatcher sends ten accounts at once, and a poll finds them together.
        arrivals = {**messages, "accounts": batches["accounts"]}
        polls = {f"{name}: polled": self._polls(queue, arrivals[name]) for name, queue in self._queues.items()}
        return {
            "accounts: sent in tens": batches["accounts"],
            "changes: sent": messages["changes"],
            "broom: sent": messages["broom"],
            **polls,
            **{f"{name}: deleted, a batch at once": batches[name] for name in self._queues},
        }

    def _polls(self, queue: PolledQueue, arrivals: float) -> float:
        """How often Lambda polls: a poll ends with the first message, or when its time is over.

        Messages are taken to come independently of each other: then a poll of a poller that gets `rate` messages a
        second lasts (1 - e^(-rate * longest)) / rate on average.
        """
        longest, pollers = self._figures["poll_seconds"], self._pollers(queue)
        rate = arrivals / _SECONDS_A_MONTH / pollers
        lasts = -expm1(-rate * longest) / rate if rate else longest
        return pollers * _SECONDS_A_MONTH / lasts

    def _pollers(self, queue: PolledQueue) -> float:
        freed = self._land.asked.workers_unlimited and queue is self._queues["accounts"]
        return self._figures["pollers_limited" if queue.is_limited and not freed else "pollers_idle"]

    def publishes(self) -> Parts:
        """Messages published to SNS topics; what SNS hands to SQS costs nothing there."""
        told = 0 if self._land.asked.control_tower else self._month(self._land.log_files_a_day)
        return {
            "news of log files": told,
            "news of digest files": self._month(self._digests()),
            "reports": self._month(self._land.broken_a_day),
            "notices, one a run at most": self._runs(_NOTICES),
        }

    def events(self) -> Parts:
        """Events that are paid for: those that cross accounts, and reports put as events. AWS's own are free."""
        used = {
            "launches, forwarded by members": self._month(self._land.launches_a_day),
            "changes of VPCs, forwarded by members": self._month(self._land.changes_a_day),
            "reports": self._month(self._land.broken_a_day),
        }
        if self._land.asked.control_tower:
            used["log files, told by S3"] = self._month(self._land.log_files_a_day)
            used["log files, forwarded by the log archive"] = self._month(self._land.log_files_a_day)
            used["digest files, told by S3"] = self._month(self._land.digests_a_day)
        return used

    def _digests(self) -> int:
        """Return how many digest files a day Broom is told of: none where a rule's pattern leaves them out."""
        return 0 if self._land.asked.control_tower else self._land.digests_a_day

    def dynamodb(self) -> dict[str, Parts]:
        """Units, capacity, and what lies in the tables after a year."""
        f, land = self._figures, self._land
        stored = {
            "VPCs and their index": 2 * land.vpcs * f["vpc_item_bytes"] / _GB,
            "a year's history": 365 * land.changes_a_day * f["vpc_item_bytes"] / _GB,
            "a year's ledger and its index": 2 * 365 * land.launches_a_day * f["ledger_item_bytes"] / _GB,
        }
        used: dict[str, Parts] = {"dynamodb_storage": stored}
        if land.asked.recovery:
            used["dynamodb_recovery"] = stored
        if land.asked.provisioned:
            hours = {"tables and indexes, all hours": self._facts.provisioned_units * HOURS_A_MONTH}
            return used | {"dynamodb_provisioned_writes": hours, "dynamodb_provisioned_reads": hours}
        return used | {"dynamodb_write_units": self.write_units(), "dynamodb_read_units": self.read_units()}

    def write_units(self) -> Parts:
        """Write request units, indexes and transactions counted."""
        f, land = self._figures, self._land
        return {
            "coverage": self._runs(_DISPATCHER) * land.accounts * f["coverage_writes_an_account"],
            "changes of VPCs": self._month(land.changes_a_day) * f["vpc_writes_a_change"],
            "launches that keep the policy": self._month(land.launches_a_day - land.broken_a_day)
            * f["ledger_writes_compliant"],
            "launches that break it": self._month(land.broken_a_day) * f["ledger_writes_destroyed"],
        }

    def read_units(self) -> Parts:
        """Read request units: half a unit for 4 KB in queries and scans, a whole one where a read is consistent."""
        f, land = self._figures, self._land
        of_all = ceil(land.vpcs * f["vpc_item_bytes"] / 4096) / 2
        cases = _REPORTED_DAYS * land.broken_a_day * f["ledger_item_bytes"] / 4096 / 2
        return {
            "VPCs, at each run": self._runs(_DISPATCHER) * (of_all + land.accounts),
            "VPCs, for notices": self._runs(_NOTICES) * (of_all + land.accounts / 2),
            "cases": 2 * self._month(land.launches_a_day),
            "cases, for the report": self._runs(_NOTICES) * cases,
        }

    def trail_puts(self) -> Parts:
        """Files that the stack's own trail writes; none of another."""
        land = self._land
        if land.asked.trail is TrailUse.EXISTING:
            return {}
        logs, digests = self._month(land.log_files_a_day), self._month(land.digests_a_day)
        return {"log files written": logs, "digest files written": digests}

    def trail(self) -> dict[str, Parts]:
        """The trail's own cost, where the stack makes it: S3's storage, and a second copy's events."""
        land, f = self._land, self._figures
        if land.asked.trail is TrailUse.EXISTING:
            return {}
        logs, digests = land.log_files_a_day, land.digests_a_day
        days = land.asked.trail_days
        used: dict[str, Parts] = {
            "s3_storage": {
                "log files kept": logs * days * f["trail_file_bytes"] / _GB,
                "digest files kept": digests * days * f["trail_digest_bytes"] / _GB,
            },
        }
        if land.asked.trail is TrailUse.SECOND:
            used["cloudtrail_second_copy"] = {"events": self._month(land.events_a_day)}
        return used

    def elsewhere(self) -> dict[str, Parts]:
        """What the tracker's own calls cost where other services record or analyze every management event."""
        events, copies = self._month(self._land.tracker_events_a_day), self._land.asked.paid_trail_copies
        used: dict[str, Parts] = {"cloudtrail_paid_copies": {"the tracker's calls, in each copy": events * copies}}
        return used | ({"guardduty_events": {"the tracker's calls": events}} if self._land.asked.guard_duty else {})

    def alarms(self) -> Parts:
        """Alarms of the stack, and those that Auto Scaling makes for provisioned tables."""
        scaling = self._facts.scaled_capacities * self._figures["scaling_alarms"]
        return {
            "the stack's alarms": self._facts.alarm_metrics,
            **({"alarms of Auto Scaling": scaling} if self._land.asked.provisioned else {}),
        }

    def logs(self) -> dict[str, Parts]:
        """The functions' logs."""
        f, land = self._figures, self._land
        written = {
            "a few lines an invocation": sum(self.invocations().values()) * f["log_bytes_an_invocation"] / _GB,
            "a line a launch": self._month(land.launches_a_day) * f["log_bytes_a_launch"] / _GB,
        }
        kept = sum(written.values()) * f["log_kept_share"] * self._facts.log_days / DAYS_A_MONTH
        return {"logs_ingested": written, "logs_stored": {"compressed": kept}}

    def key(self) -> dict[str, Parts]:
        """A customer's key: once for each log file that is read, and that our own trail writes."""
        own = self._land.asked.trail is not TrailUse.EXISTING
        written = self._land.log_files_a_day + self._land.digests_a_day if own else 0
        requests = {
            "log files read": self._month(self._land.log_files_a_day),
            "files written by the trail": self._month(written),
        }
        return {"kms_keys": {"the key": 1}, "kms_requests": requests}

    def _runs(self, function: str) -> float:
        return self._month(self._facts.runs_a_day[function])

    @staticmethod
    def _month(a_day: float) -> float:
        return a_day * DAYS_A_MONTH
