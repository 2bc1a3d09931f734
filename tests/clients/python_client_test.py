#!/usr/bin/python3
"""Tests Pontoon with etcd3, a Python client of etcd (Debian's python3-etcd3): three nodes, used as an application
uses etcd.

  tests/clients/python_client_test.py --server bazel-bin/cmd/pontoon/pontoon \\
      --pontoonctl bazel-bin/cmd/pontoonctl/pontoonctl [CASE...]

With --server /usr/bin/etcd the expectations themselves are tested: they hold for etcd, too.
"""

import argparse
import hashlib
import io
import pathlib
import sys
import tempfile
import threading
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from processes.cluster import SIZE, Cluster
from processes.ports import HOST
from processes.waiting import wait_for

try:
    import etcd3
    import grpc
except ImportError:
    raise SystemExit("python_client_test: there is no Python module etcd3; run this once as root:\n"
                     "  deploy/install-packages.sh --with-tests") from None

CALL_SECONDS_MAX = 10
FAILOVER_SECONDS_MAX = 60
CHECKSUM_BYTES = 32


def pass_over_closed_watches(arguments):
    """For threading.excepthook: etcd3's watch thread begins a new stream whatever ended the old one, also that the
    client was closed."""
    if str(arguments.exc_value) != "Cannot invoke RPC: Channel closed!":
        threading.__excepthook__(arguments)


class Heard:
    """A callback of a watch that keeps what it is told."""

    def __init__(self):
        self.events = []
        self.errors = []

    def __call__(self, response):
        if isinstance(response, Exception):
            self.errors.append(response)
        else:
            self.events.extend(response.events)

    def wait_for_events(self, count):
        return wait_for(lambda: len(self.events) >= count and self.events, lambda: f"{count} events: {self.told()}")

    def told(self):
        """The events as "put k v" and "delete k"."""
        return [f"put {event.key.decode()} {event.value.decode()}" if isinstance(event, etcd3.events.PutEvent)
                else f"delete {event.key.decode()}" for event in self.events]


class Reader(threading.Thread):
    """Reads an iterator that may block, to its end, beside the test."""

    def __init__(self, iterator):
        super().__init__(daemon=True)
        self.iterator = iterator
        self.items = []
        self.error = None
        self.start()

    def run(self):
        try:
            self.items.extend(item for item in self.iterator)
        except (etcd3.Etcd3Exception, grpc.RpcError) as error:
            self.error = error

    def wait_for_error(self):
        return wait_for(lambda: self.error, "the end of the watch")


class ClientCase(unittest.TestCase):
    """Cases with a cluster for all of a class, and keys of their own, which begin with the name of the case."""

    options = None  # of the command line
    cluster = None

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="pontoon-python-client-"))
        cls.cluster = cls.enterClassContext(Cluster(folder, cls.options.server, cls.options.pontoonctl))
        cls.cluster.start()

    def setUp(self):
        self.client, self.other, _ = [self.connect(node) for node in self.cluster.nodes]

    def connect(self, node):
        port = int(node.endpoint.rpartition(":")[2])
        client = etcd3.client(HOST, port, timeout=CALL_SECONDS_MAX, grpc_options=[("grpc.enable_http_proxy", 0)])
        self.addCleanup(client.close)
        return client

    def key(self, name=""):
        return f"{self._testMethodName}/{name}"

    def put_all(self, *values):
        """Puts a key named after each value; the revision of the last."""
        return [self.client.put(self.key(value), value) for value in values][-1].header.revision

    def values(self, **options):
        """Of all keys of the case."""
        return [value.decode() for value, _ in self.other.get_prefix(self.key(), **options)]

    def assert_refused(self, code, details, call, *arguments, **options):
        """That a call fails with this code and text, in the form for errors that the client has no name for."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(*arguments, **options)
        self.assertEqual((caught.exception.code(), caught.exception.details()), (code, details))


class KeysTest(ClientCase):
    def test_put_and_get(self):
        first = self.client.put(self.key(), "one").header.revision
        second = self.client.put(self.key(), b"\x00two\xff", prev_kv=True)
        self.assertEqual(second.prev_kv.value, b"one")
        value, about = self.other.get(self.key())
        self.assertEqual(value, b"\x00two\xff")
        self.assertEqual(about.key.decode(), self.key())
        self.assertEqual((about.create_revision, about.mod_revision, about.version), (first, first + 1, 2))
        self.assertEqual(about.lease_id, 0)
        self.assertEqual(about.response_header.revision, first + 1)
        self.assertEqual(self.client.get(self.key("missing")), (None, None))

    def test_serializable_get_catches_up(self):
        self.client.put(self.key(), "value")
        wait_for(lambda: self.other.get(self.key(), serializable=True)[0] == b"value", "the value on another node")

    def test_prefixes_and_ranges(self):
        self.put_all("b", "c", "a", "d")
        self.assertEqual(self.values(), ["a", "b", "c", "d"])
        self.assertEqual(self.values(sort_order="descend"), ["d", "c", "b", "a"])
        self.assertEqual(self.values(sort_order="ascend", sort_target="mod"), ["b", "c", "a", "d"])
        self.assertEqual(self.values(keys_only=True), [""] * 4)
        found = self.client.get_range(self.key("b"), self.key("d"))
        self.assertEqual([value for value, _ in found], [b"b", b"c"])
        everything = [about.key.decode() for _, about in self.client.get_all(keys_only=True)]
        self.assertEqual(everything, sorted(everything))
        self.assertIn(self.key("a"), everything)

    def test_delete(self):
        self.put_all("a", "b", "c")
        self.assertTrue(self.client.delete(self.key("a")))
        self.assertFalse(self.client.delete(self.key("a")))
        answer = self.client.delete(self.key("b"), prev_kv=True, return_response=True)
        self.assertEqual((answer.deleted, answer.prev_kvs[0].value), (1, b"b"))
        self.put_all("d", "e")
        self.assertEqual(self.client.delete_prefix(self.key()).deleted, 3)
        self.assertEqual(self.values(), [])

    def test_conditional_puts(self):
        self.assertTrue(self.client.put_if_not_exists(self.key(), "one"))
        self.assertFalse(self.other.put_if_not_exists(self.key(), "two"))
        self.assertFalse(self.other.replace(self.key(), "two", "three"))
        self.assertTrue(self.other.replace(self.key(), "one", "three"))
        self.assertEqual(self.values(), ["three"])

    def test_refuses_an_empty_key(self):
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "etcdserver: key is not provided",
                            self.client.put, "", "v")


class TransactionsTest(ClientCase):
    def test_takes_a_branch(self):
        operations = self.client.transactions
        revision = self.put_all("a", "b")
        conditions = {
            True: [operations.value(self.key("a")) == "a", operations.version(self.key("a")) > 0,
                   operations.mod(self.key("b")) == revision, operations.create(self.key("missing")) == 0,
                   operations.value(self.key("a")) != "b", operations.create(self.key("a")) < revision],
            False: [operations.value(self.key("a")) > "a", operations.version(self.key("missing")) != 0],
        }
        for expected, compares in conditions.items():
            for compare in compares:
                taken, responses = self.client.transaction(
                    [compare], [operations.get(self.key("a"))], [operations.get(self.key("b"))])
                self.assertEqual(taken, expected, compare)
                self.assertEqual(responses[0][0][0], b"a" if expected else b"b")
        everything = conditions[True] + conditions[False]
        self.assertFalse(self.client.transaction(everything, [], [])[0], "all must hold")

    def test_does_all_in_one_revision(self):
        operations = self.client.transactions
        before = self.put_all("a", "b", "c")
        taken, responses = self.client.transaction([], [
            operations.put(self.key("a"), "A", prev_kv=True),
            operations.get(self.key("a")),
            operations.delete(self.key("b"), range_end=self.key("d"), prev_kv=True),
            operations.txn([operations.value(self.key("a")) == "a"], [operations.put(self.key("e"), "e")], []),
        ], [])
        put, got, deleted, nested = responses
        self.assertTrue(taken)
        self.assertEqual(put.response_put.prev_kv.value, b"a")
        self.assertEqual([value for value, _ in got], [b"A"], "its own put is seen")
        self.assertEqual(got[0][1].response_header.revision, before + 1)
        self.assertEqual([kv.value for kv in deleted.response_delete_range.prev_kvs], [b"b", b"c"])
        self.assertTrue(nested.response_txn.succeeded, "compares see the state before")
        found = list(self.other.get_prefix(self.key()))
        self.assertEqual([value for value, _ in found], [b"A", b"e"])
        self.assertEqual({about.mod_revision for _, about in found}, {before + 1})

    def test_refuses_what_contradicts_itself(self):
        put = self.client.transactions.put
        self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request",
                            self.client.transaction, [], [put(self.key(), "1"), put(self.key(), "2")], [])
        self.assertEqual(self.values(), [])


class WatchesTest(ClientCase):
    def test_tells_a_callback(self):
        heard = Heard()
        self.client.add_watch_callback(self.key("a"), heard, prev_kv=True)
        self.other.put(self.key("a"), "1")
        self.other.put(self.key("b"), "another key")
        self.other.put(self.key("a"), "2")
        self.other.delete(self.key("a"))
        first, second, third = heard.wait_for_events(3)
        self.assertEqual(heard.told(), [f"put {self.key('a')} 1", f"put {self.key('a')} 2", f"delete {self.key('a')}"])
        self.assertEqual([event.prev_value for event in (first, second, third)], [b"", b"1", b"2"])
        self.assertEqual((second.version, second.create_revision), (2, first.mod_revision))
        self.assertEqual(third.mod_revision, second.mod_revision + 1)

    def test_feeds_an_iterator(self):
        events, cancel = self.client.watch_prefix(self.key())
        reader = Reader(events)
        self.other.put(self.key("a"), "1")
        self.other.delete_prefix(self.key())
        wait_for(lambda: len(reader.items) == 2, lambda: f"two events: {reader.items}")
        cancel()
        reader.join(CALL_SECONDS_MAX)
        self.assertFalse(reader.is_alive(), "the iterator ends")
        self.assertEqual([type(event) for event in reader.items], [etcd3.events.PutEvent, etcd3.events.DeleteEvent])

    def test_is_cancelled(self):
        cancelled, later = Heard(), Heard()
        watch = self.client.add_watch_callback(self.key(), cancelled)
        self.client.put(self.key(), "1")
        cancelled.wait_for_events(1)
        self.client.cancel_watch(watch)
        self.client.add_watch_callback(self.key(), later)
        self.client.put(self.key(), "2")
        later.wait_for_events(1)
        self.assertEqual(cancelled.told(), [f"put {self.key()} 1"])
        self.assertEqual(later.told(), [f"put {self.key()} 2"])
        self.assertEqual(cancelled.errors + later.errors, [])

    def test_begins_in_the_past(self):
        second = self.put_all("a", "b")
        self.put_all("c")
        heard = Heard()
        self.other.add_watch_prefix_callback(self.key(), heard, start_revision=second)
        heard.wait_for_events(2)
        self.put_all("d")
        heard.wait_for_events(3)
        self.assertEqual(heard.told(), [f"put {self.key(name)} {name}" for name in "bcd"])

    def test_one_response_holds_a_transaction(self):
        responses, cancel = self.client.watch_prefix_response(self.key())
        reader = Reader(responses)
        operations = self.client.transactions
        self.other.transaction([], [operations.put(self.key(name), name) for name in "abc"], [])
        wait_for(lambda: reader.items, "a response")
        self.assertEqual([event.value for event in reader.items[0].events], [b"a", b"b", b"c"])
        self.assertEqual({event.mod_revision for event in reader.items[0].events}, {reader.items[0].header.revision})
        cancel()

    def test_once(self):
        self.put_all("a")
        revision = self.put_all("b")
        event = self.other.watch_prefix_once(self.key(), timeout=CALL_SECONDS_MAX, start_revision=revision)
        self.assertEqual(event.value, b"b")
        with self.assertRaises(etcd3.exceptions.WatchTimedOut):
            self.other.watch_once(self.key("nothing"), timeout=0)

    def test_is_told_of_compaction(self):
        self.put_all("a")
        compacted = self.put_all("b")
        self.client.compact(compacted)
        responses, _ = self.client.watch_prefix_response(self.key(), start_revision=compacted - 1)
        error = Reader(responses).wait_for_error()
        self.assertIsInstance(error, etcd3.exceptions.RevisionCompactedError)
        self.assertEqual(error.compacted_revision, compacted)
        # What is left of the history is still told, on the same stream.
        heard = Heard()
        self.client.add_watch_prefix_callback(self.key(), heard, start_revision=compacted)
        heard.wait_for_events(1)
        self.assertEqual(heard.told(), [f"put {self.key('b')} b"])


class LeasesTest(ClientCase):
    def test_life_of_a_lease(self):
        lease = self.client.lease(600, lease_id=4711)
        self.addCleanup(lambda: self.client.get_lease_info(4711).TTL > 0 and self.client.revoke_lease(4711))
        self.assertEqual((lease.id, lease.ttl), (4711, 600))
        self.assertEqual(self.client.put(self.key("a"), "v", lease=lease).header.revision,
                         self.other.put(self.key("b"), "v", lease=4711).header.revision - 1)
        self.assertEqual(lease.granted_ttl, 600)
        self.assertLessEqual(lease.remaining_ttl, 600)
        self.assertGreater(lease.remaining_ttl, 600 - CALL_SECONDS_MAX)
        self.assertEqual(sorted(key.decode() for key in lease.keys), [self.key("a"), self.key("b")])
        self.assertEqual(self.client.get(self.key("a"))[1].lease_id, 4711)
        for client in (self.client, self.other):
            self.assertEqual([answer.TTL for answer in client.refresh_lease(4711)], [600])
        with self.assertRaises(etcd3.exceptions.PreconditionFailedError):
            self.other.lease(10, lease_id=4711)
        lease.revoke()
        self.assertEqual(self.values(), [])
        self.assertEqual((lease.remaining_ttl, [answer.TTL for answer in lease.refresh()]), (-1, [0]))

    def test_ends_by_itself_and_takes_its_keys_along(self):
        lease = self.client.lease(2)
        self.client.put(self.key("leased"), "v", lease=lease)
        last = self.client.put(self.key("other"), "stays").header.revision
        heard = Heard()
        # The other member may not have it yet.
        self.other.add_watch_prefix_callback(self.key(), heard, start_revision=last + 1)
        heard.wait_for_events(1)
        self.assertEqual(heard.told(), [f"delete {self.key('leased')}"])
        self.assertEqual(self.values(), ["stays"])

    def test_lives_as_long_as_it_is_refreshed(self):
        lease = self.client.lease(2)
        self.client.put(self.key(), "v", lease=lease)
        heard = Heard()
        self.other.add_watch_callback(self.key("end"), heard)
        end = self.client.lease(6)  # three times the life of the other
        self.client.put(self.key("end"), "v", lease=end)

        def ended():
            self.assertEqual([answer.TTL for answer in lease.refresh()], [lease.ttl])
            return "delete " + self.key("end") in heard.told()

        wait_for(ended, "the end of the second lease")
        self.assertEqual(self.values(), ["v"])
        lease.revoke()

    def test_unknown_leases(self):
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "etcdserver: requested lease not found",
                            self.client.put, self.key(), "v", lease=99)
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "etcdserver: requested lease not found",
                            self.client.revoke_lease, 99)
        self.assertEqual([answer.TTL for answer in self.client.refresh_lease(99)], [0])


class LocksTest(ClientCase):
    """Nobody waits for a lock in a call of etcd3: that fails with the tenacity of Debian 12, whatever the server."""

    def test_one_holder_at_a_time(self):
        first, second = self.client.lock(self.key(), ttl=60), self.other.lock(self.key(), ttl=60)
        self.assertTrue(first.acquire())
        self.assertTrue(first.is_acquired())
        self.assertFalse(second.acquire(timeout=0))
        self.assertFalse(second.is_acquired())
        self.assertFalse(second.release(), "it is not its own")
        self.assertEqual([answer.TTL for answer in first.refresh()], [60])
        self.assertTrue(first.release())
        self.assertTrue(second.acquire(timeout=0))
        self.assertFalse(first.is_acquired())
        self.assertTrue(second.release())

    def test_is_lost_with_its_lease(self):
        self.assertTrue(self.client.lock(self.key(), ttl=2).acquire())
        second = self.other.lock(self.key(), ttl=60)
        wait_for(lambda: second.acquire(timeout=0), "the end of the first holder's lease")
        self.assertTrue(second.is_acquired())

    def test_is_released_at_the_end_of_a_block(self):
        with self.assertRaises(ZeroDivisionError), self.client.lock(self.key()) as lock:
            self.assertTrue(lock.is_acquired())
            1 / 0
        self.assertFalse(lock.is_acquired())

    def test_holds_while_many_want_it(self):
        """Each adds one to a number, by reading and writing it: no two at once, or some of it is lost."""
        self.client.put(self.key("sum"), "0")
        rounds = 5

        def add(client):
            for _ in range(rounds):
                lock = client.lock(self.key("lock"), ttl=60)
                wait_for(lambda: lock.acquire(timeout=0), "the lock")
                value, _ = client.get(self.key("sum"))
                client.put(self.key("sum"), str(int(value) + 1))
                lock.release()

        threads = [threading.Thread(target=add, args=[self.connect(node)], daemon=True)
                   for node in self.cluster.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(FAILOVER_SECONDS_MAX)
        self.assertEqual(self.client.get(self.key("sum"))[0], str(rounds * SIZE).encode())


class MaintenanceTest(ClientCase):
    def test_members(self):
        for client in (self.client, self.other):
            members = {member.name: member for member in client.members}
            self.assertEqual(members.keys(), {node.name for node in self.cluster.nodes})
            for node in self.cluster.nodes:
                self.assertEqual(members[node.name].id, int(node.member_id, 16))
                self.assertEqual(list(members[node.name].client_urls), [f"http://{node.endpoint}"])

    def test_a_member_comes_and_goes(self):
        taken = list(next(iter(self.client.members)).peer_urls)

        def is_refused():
            try:
                self.client.add_member(taken)
            except etcd3.exceptions.PreconditionFailedError:
                return True
            except etcd3.exceptions.ConnectionFailedError:
                return False  # by etcd: its members have not been connected for long
            return self.fail("two members have the same address")

        wait_for(is_refused, "the address is refused")
        url = f"http://{HOST}:9"  # where nobody is
        member = self.client.add_member([url])
        self.assertEqual((member.name, list(member.peer_urls), list(member.client_urls)), ("", [url], []))
        wait_for(lambda: member.id in [each.id for each in self.other.members], "another node has the member")
        member.update([f"http://{HOST}:7"])
        self.assertIn([f"http://{HOST}:7"], [list(each.peer_urls) for each in self.client.members])
        member.remove()
        self.assertNotIn(member.id, [each.id for each in self.client.members])
        self.assert_refused(grpc.StatusCode.NOT_FOUND, "etcdserver: member not found",
                            self.client.remove_member, member.id)

    def test_status(self):
        self.put_all("a")
        leader = self.cluster.leader()
        for node in self.cluster.nodes:
            status = self.connect(node).status()
            self.assertEqual(status.leader.name, leader.name)
            self.assertRegex(status.version, r"^3\.\d+\.\d+$")
            self.assertGreater(status.db_size, 0)
            self.assertGreater(status.raft_index, 0)
            self.assertGreater(status.raft_term, 0)

    def test_alarms(self):
        member = next(iter(self.client.members))
        self.assertEqual(list(self.client.list_alarms()), [])
        self.addCleanup(self.client.disarm_alarm, member.id)
        raised = [(alarm.alarm_type, alarm.member_id) for alarm in self.client.create_alarm(member.id)]
        self.assertEqual(raised, [(etcd3.etcdrpc.NOSPACE, member.id)])
        self.assertEqual([(alarm.alarm_type, alarm.member_id) for alarm in member.active_alarms], raised)
        for client in (self.client, self.other):
            self.assert_refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded",
                                client.put, self.key(), "v")
        self.assertFalse(self.client.delete(self.key()), "deletions need no space")
        self.assertEqual([alarm.member_id for alarm in self.client.disarm_alarm(member.id)], [member.id])
        self.assertEqual(list(self.other.list_alarms()), [])
        self.client.put(self.key(), "v")

    def test_compaction_and_defragmentation(self):
        self.put_all("a")
        revision = self.put_all("a")
        self.client.compact(revision, physical=True)
        self.assert_refused(grpc.StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted",
                            self.client.compact, revision)
        self.assert_refused(grpc.StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision",
                            self.client.compact, revision + 1000)
        for node in self.cluster.nodes:
            self.connect(node).defragment()
        self.assertEqual(self.values(), ["a"])

    def test_hash(self):
        before = self.client.hash()
        self.put_all("a")
        self.assertNotEqual(self.client.hash(), before)

    def test_snapshot(self):
        self.put_all(*(f"value {number}" for number in range(100)))
        file = io.BytesIO()
        self.client.snapshot(file)
        content = file.getvalue()
        self.assertIn(b"value 99", content)
        self.assertEqual(len(content) % 512, CHECKSUM_BYTES, "pages, and a checksum")
        self.assertEqual(hashlib.sha256(content[:-CHECKSUM_BYTES]).digest(), content[-CHECKSUM_BYTES:])


class FailoverTest(ClientCase):
    def setUp(self):
        super().setUp()
        self.leader = self.cluster.leader()
        self.follower = next(node for node in self.cluster.nodes if node is not self.leader)
        self.addCleanup(self.bring_back)

    def bring_back(self):
        if not self.leader.runs():
            self.leader.start()
        wait_for(lambda: self.cluster.call("health").returncode == 0, "all nodes serve", FAILOVER_SECONDS_MAX)

    def insist(self, call, *arguments, **options):
        """The answer to a call, which is made again while there is no leader or no connection."""
        def attempt():
            try:
                return [call(*arguments, **options)]
            except (etcd3.exceptions.ConnectionFailedError, etcd3.exceptions.ConnectionTimeoutError):
                return None
        return wait_for(attempt, "an answer", FAILOVER_SECONDS_MAX)[0]

    def test_goes_on_with_another_leader(self):
        client = self.connect(self.follower)
        heard = Heard()
        client.add_watch_prefix_callback(self.key(), heard)
        lease = client.lease(60)
        client.put(self.key("leased"), "v", lease=lease)
        self.leader.kill()
        for number in range(20):
            self.insist(client.put, self.key(number), str(number))
        self.assertEqual([answer.TTL for answer in self.insist(lease.refresh)], [60])
        last = self.insist(client.put, self.key("last"), "v").header.revision
        wait_for(lambda: heard.events and heard.events[-1].mod_revision == last, lambda: f"the last: {heard.told()}")
        revisions = [event.mod_revision for event in heard.events]
        self.assertEqual(revisions, list(range(revisions[0], last + 1)), "each once, in order, none missing")
        self.assertEqual({event.key.decode() for event in heard.events},
                         {self.key(name) for name in ("leased", *range(20), "last")})
        self.assertNotEqual(self.cluster.leader(FAILOVER_SECONDS_MAX), self.leader)

    def test_comes_back_to_a_node_that_was_away(self):
        client = self.connect(self.leader)
        revision = client.put(self.key("a"), "1").header.revision
        events, _ = client.watch_prefix(self.key())
        reader = Reader(events)
        self.leader.kill()
        self.assertIsInstance(reader.wait_for_error(), etcd3.exceptions.ConnectionFailedError)
        with self.assertRaises(etcd3.exceptions.ConnectionFailedError):
            client.get(self.key("a"))
        self.insist(self.connect(self.follower).put, self.key("b"), "2")
        self.leader.start()
        self.assertEqual(self.insist(client.get, self.key("b"))[0], b"2")
        heard = Heard()
        self.insist(client.add_watch_prefix_callback, self.key(), heard, start_revision=revision)
        heard.wait_for_events(2)
        self.assertEqual(heard.told(), [f"put {self.key('a')} 1", f"put {self.key('b')} 2"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the server, pontoon or etcd")
    parser.add_argument("--pontoonctl", required=True, help="the tool that looks after the nodes")
    ClientCase.options, rest = parser.parse_known_args()
    threading.excepthook = pass_over_closed_watches
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
