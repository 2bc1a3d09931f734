"""Snapshots of an imagined cluster, in the form of /api/v1/status."""

import copy

BOUNDS = [0.000125 * 2 ** i for i in range(17)]
IDS = ["8e9e05c52164694d", "91bc3c398fb3c146", "fd422379fda50e48", "a1b2c3d4e5f60718", "0f0e0d0c0b0a0908"]


def histogram(counts=()):
    """`counts` of the first buckets; the others are empty."""
    return {"bounds_seconds": BOUNDS, "counts": [*counts, *[0] * (18 - len(counts))], "sum_seconds": 0.0}


def lag(entries=0, size=0, seconds=0.0, contact_age=0.05, gets_snapshot=False):
    return {"entries": entries, "bytes": size, "seconds": seconds, "contact_age_seconds": contact_age,
            "gets_snapshot": gets_snapshot}


def member(place, name=None, role="follower"):
    return {
        "id": IDS[place], "name": f"node{place + 1}" if name is None else name,
        "peer_urls": [f"http://10.0.0.{place + 1}:2380"], "client_urls": [f"http://10.0.0.{place + 1}:2379"],
        "learner": role == "learner", "reachable": True, "error": "",
        "status": {
            "role": role, "term": 7, "leader": IDS[0], "commit_index": 12345, "applied_index": 12344,
            "last_index": 12346, "revision": 9876, "db_bytes": 5 << 20, "log_bytes": 3 << 20, "version": "0.1.0",
            "requests_total": 0, "requests_failed_total": 0, "writes_applied_total": 0, "writes_waiting": 0,
            "request_durations": histogram(), "commit_durations": histogram(),
            "log_write_durations": histogram(),
        },
        "lag": None if role == "leader" else lag(),
    }


def change(place, role, age, reason, term=7, leader=None):
    return {"age_seconds": age, "member": IDS[place], "role": role, "term": term,
            "leader": None if leader is None else IDS[leader], "reason": reason}


class Story:
    """A cluster that changes: set what is to change, and take the next snapshot."""

    def __init__(self, count=3):
        self.now = {
            "served_by": IDS[1], "cluster_id": "ef37ad9dc622a7c4", "time_ms": 1764072000000,
            "version": "0.1.0", "etcd_version": "3.5.0", "leader": IDS[0], "term": 7, "problems": [],
            "members": [member(i, role="follower" if i else "leader") for i in range(count)],
            "role_changes": [change(0, "leader", 3725, "won the election", leader=0)],
        }

    def __getitem__(self, place):
        return self.now["members"][place]

    def status(self, place):
        return self[place]["status"]

    def add(self, **members):
        self.now["members"].append(member(len(self.now["members"]), **members))

    def lose(self, place, error="connection refused"):
        self[place].update(reachable=False, error=error, status=None)

    def lead(self, place):
        """Has a member lead in the next term."""
        self.now.update(leader=IDS[place], term=self.now["term"] + 1)
        for i, one in enumerate(self.now["members"]):
            if one["status"]:
                one["status"].update(role="leader" if i == place else "follower", term=self.now["term"],
                                     leader=IDS[place])
            one["lag"] = None if i == place else lag()
        self.now["role_changes"].insert(
            0, change(place, "leader", 0.2, "won the election", self.now["term"], place))

    def work(self, writes=0, requests=0, failed=0, place=0):
        status = self.status(place)
        status["writes_applied_total"] += writes
        status["requests_total"] += requests
        status["requests_failed_total"] += failed

    def observe(self, name, bucket, count, place=0):
        self.status(place)[f"{name}_durations"]["counts"][bucket] += count

    def snapshot(self, seconds=1):
        """A copy of what is, so much later."""
        self.now["time_ms"] += round(seconds * 1000)
        for one in self.now["role_changes"]:
            one["age_seconds"] += seconds
        return copy.deepcopy(self.now)
