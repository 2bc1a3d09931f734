// Tests Pontoon with etcd3, a client of etcd for Node.js: three nodes, used as an application uses
// etcd. node_client_test.py starts them, and says in the environment which they are:
//
//   NODES   [{"endpoint": "127.0.0.1:2379", "pid": 4711}, ...]

'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { once } = require('node:events');
const { after, describe, test } = require('node:test');
const etcd3 = require('etcd3');

const nodes = JSON.parse(process.env.NODES);
const CASE_MS_MAX = 30_000;
const EXIT_MS_MAX = 5_000;
const CHECKSUM_BYTES = 32;

const clients = [];

function connect(hosts = nodes.map((node) => node.endpoint)) {
  const client = new etcd3.Etcd3({ hosts, grpcOptions: { 'grpc.enable_http_proxy': 0 } });
  clients.push(client);
  return client;
}

// A test with a client of all nodes, which sees the keys under the test's name alone.
function check(name, body) {
  test(name, { timeout: CASE_MS_MAX }, () => body(connect().namespace(`${name}/`)));
}

// The events of a watcher as "put k v" and "delete k". More may come.
function listen(watcher) {
  const told = [];
  watcher.on('put', (kv) => told.push(`put ${kv.key} ${kv.value}`));
  watcher.on('delete', (kv) => told.push(`delete ${kv.key}`));
  return told;
}

// Waits until `told` has so many events of the watcher.
async function waitForEvents(watcher, told, count) {
  while (told.length < count) await once(watcher, 'data');
}

// Waits until an observer of an election has seen this leader.
async function waitForLeader(observer, name) {
  while (observer.leader() !== name) await once(observer, 'change');
}

// The answer to a call, which is made again while there is no connection or no leader.
async function insist(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!etcd3.isRecoverableError(error)) throw error;
    }
  }
}

after(() => {
  clients.forEach((client) => client.close());
  // What a case that failed has left, such as a lease that it keeps alive, does not go on for ever.
  setTimeout(() => process.exit(), EXIT_MS_MAX).unref();
});

describe('keys', () => {
  check('are put and got', async (client) => {
    await client.put('a').value('text');
    assert.equal(await client.get('a').string(), 'text');
    const previous = await client.put('a').value(42).getPrevious();
    assert.equal(previous.value.toString(), 'text');
    assert.equal(await client.get('a').number(), 42);
    const bytes = Buffer.from([0, 255, 10]);
    await client.put('a').value(bytes);
    assert.deepEqual(await client.get('a').buffer(), bytes);
    const { header, kvs } = await client.get('a').exec();
    assert.equal(kvs[0].version, '3');
    assert.equal(Number(kvs[0].mod_revision), Number(kvs[0].create_revision) + 2);
    assert.equal(header.revision, kvs[0].mod_revision);
    const old = client.get('a').revision(kvs[0].create_revision);
    assert.equal(await old.string(), 'text');
    assert.equal(await client.get('missing').string(), null);
    assert.equal(await client.get('missing').exists(), false);
  });

  check('are found by prefix', async (client) => {
    for (const key of ['c', 'a', 'b']) await client.put(key).value(`of ${key}`);
    assert.deepEqual(await client.getAll().strings(), { a: 'of a', b: 'of b', c: 'of c' });
    assert.deepEqual(await client.getAll().prefix('b').keys(), ['b']);
    assert.equal(await client.getAll().count(), 3);
    assert.deepEqual(await client.getAll().sort('Mod', 'Descend').limit(2).keys(), ['b', 'a']);
    assert.deepEqual(await client.getAll().inRange({ start: 'a', end: 'c' }).keys(), ['a', 'b']);
    const { kvs } = await client.get('a').exec();
    const revision = kvs[0].mod_revision;
    assert.deepEqual(await client.getAll().minModRevision(revision).keys(), ['a', 'b']);
    assert.deepEqual(await client.getAll().maxCreateRevision(revision).keys(), ['a', 'c']);
    assert.deepEqual(await client.getAll().serializable(true).prefix('missing').keys(), []);
  });

  check('are deleted', async (client) => {
    for (const key of ['a', 'b', 'b1', 'c']) await client.put(key).value(key);
    assert.equal((await client.delete().key('a')).deleted, '1');
    assert.equal((await client.delete().key('a')).deleted, '0');
    const previous = await client.delete().prefix('b').getPrevious();
    assert.deepEqual(previous.map((kv) => kv.value.toString()), ['b', 'b1']);
    assert.deepEqual(await client.getAll().keys(), ['c']);
    assert.equal((await client.delete().all()).deleted, '1');
  });

  check('have errors of their own kinds', async (client) => {
    await assert.rejects(client.put('a').value('v').lease('99'), etcd3.EtcdLeaseInvalidError);
    const future = client.get('a').revision(1_000_000_000);
    await assert.rejects(future.string(), etcd3.GRPCOutOfRangeError);
    await assert.rejects(connect().put('').value('v'), etcd3.GRPCInvalidArgumentError);
  });
});

describe('transactions', () => {
  check('take a branch', async (client) => {
    await client.put('a').value('1');
    const attempt = (value) => client
      .if('a', 'Value', '==', value)
      .and('a', 'Version', '>', 0)
      .and('missing', 'Create', '==', 0)
      .then(client.put('b').value('then'), client.get('b'))
      .else(client.get('a'), client.delete().key('a'))
      .commit();
    const taken = await attempt('1');
    assert.equal(taken.succeeded, true);
    assert.equal(taken.responses[1].response_range.kvs[0].value.toString(), 'then');
    const refused = await attempt('2');
    assert.equal(refused.succeeded, false);
    assert.equal(refused.responses[0].response_range.kvs[0].value.toString(), '1');
    assert.equal(refused.responses[1].response_delete_range.deleted, '1');
    assert.deepEqual(await client.getAll().strings(), { b: 'then' });
  });

  check('in software lose nothing', async (client) => {
    await client.put('sum').value(0);
    const add = () => client.stm({ retries: 100 }).transact(async (tx) => {
      await tx.put('sum').value((await tx.get('sum').number()) + 1);
    });
    await Promise.all(Array.from({ length: 10 }, add));
    assert.equal(await client.get('sum').number(), 10);
  });
});

describe('watches', () => {
  check('tell what happens under a prefix', async (client) => {
    const watcher = await client.watch().prefix('').withPreviousKV().create();
    const told = listen(watcher);
    const previous = [];
    watcher.on('data', ({ events }) => previous.push(...events.map((event) => event.prev_kv)));
    await client.put('a').value('1');
    await client.put('a').value('2');
    await client.delete().key('a');
    await waitForEvents(watcher, told, 3);
    assert.deepEqual(told, ['put a 1', 'put a 2', 'delete a']);
    assert.deepEqual(previous.map((kv) => kv?.value.toString()), [undefined, '1', '2']);
    await watcher.cancel();
    await client.put('a').value('3');
    assert.equal(told.length, 3);
  });

  check('begin in the past and filter', async (client) => {
    const { header } = await client.put('a').value('1');
    await client.delete().key('a');
    await client.put('b').value('2');
    const watch = () => client.watch().prefix('').startRevision(header.revision);
    const all = watch().watcher();
    const puts = watch().only('put').watcher();
    const deletions = watch().only('delete').watcher();
    const told = [all, puts, deletions].map(listen);
    await waitForEvents(all, told[0], 3);
    await waitForEvents(puts, told[1], 2);
    await waitForEvents(deletions, told[2], 1);
    const [put, deletion, last] = ['put a 1', 'delete a', 'put b 2'];
    assert.deepEqual(told, [[put, deletion, last], [put, last], [deletion]]);
    await Promise.all([all, puts, deletions].map((watcher) => watcher.cancel()));
  });

  check('are told of compaction', async (client) => {
    await client.put('a').value('1');
    const { header } = await client.put('a').value('2');
    const { revision } = header;
    await client.kv.compact({ revision, physical: true });
    await assert.rejects(client.kv.compact({ revision }), etcd3.GRPCOutOfRangeError);
    const watcher = client.watch().key('a').startRevision(revision - 1).watcher();
    const [error] = await once(watcher, 'error');
    assert.match(error.message, /^Watcher canceled/);
  });
});

describe('leases', () => {
  check('are kept alive', async (client) => {
    const lease = client.lease(2);
    await lease.put('kept').value('v');
    const watcher = await client.watch().key('ends').create();
    const told = listen(watcher);
    // Three times the other's life, and nobody keeps it alive.
    await client.lease(6, { autoKeepAlive: false }).put('ends').value('v');
    await waitForEvents(watcher, told, 2);
    assert.deepEqual(told, ['put ends v', 'delete ends']);
    assert.equal(await client.get('kept').string(), 'v');
    assert.equal((await lease.keepaliveOnce()).TTL, '2');
    await lease.revoke();
    assert.equal(await client.get('kept').string(), null);
    await watcher.cancel();
  });

  check('tell of their end', async (client) => {
    const lease = client.lease(2);
    const id = await lease.grant();
    const lost = once(lease, 'lost');
    const about = await client.leaseClient.leaseTimeToLive({ ID: id, keys: true });
    assert.deepEqual([about.ID, about.grantedTTL, about.keys], [id, '2', []]);
    await client.leaseClient.leaseRevoke({ ID: id });
    const [error] = await lost;
    assert(error instanceof etcd3.EtcdLeaseInvalidError);
    await assert.rejects(client.leaseClient.leaseRevoke({ ID: id }), etcd3.EtcdLeaseInvalidError);
  });
});

describe('locks and elections', () => {
  check('a lock has one holder', async (client) => {
    const lock = await client.lock('l').acquire();
    await assert.rejects(client.lock('l').acquire(), etcd3.EtcdLockFailedError);
    await lock.release();
    const held = await client.lock('l').ttl(5).do(() => client.get('l').exists());
    assert.equal(held, true);
    assert.equal(await client.get('l').exists(), false);
  });

  check('a candidate follows another', async (client) => {
    const election = client.election('e', 10);
    const first = election.campaign('ada');
    await first.wait();
    const observer = await election.observe();
    await waitForLeader(observer, 'ada');
    const second = election.campaign('grace');
    await once(second, '_isWaiting');
    assert.equal(await election.leader(), 'ada');
    await first.proclaim('ada lovelace');
    await waitForLeader(observer, 'ada lovelace');
    const elected = second.wait();
    await first.resign();
    await elected;
    await waitForLeader(observer, 'grace');
    assert.equal(await election.leader(), 'grace');
    await observer.cancel();
    await second.resign();
    assert.equal(await election.leader(), undefined);
  });
});

describe('maintenance', () => {
  test('each member tells its status', { timeout: CASE_MS_MAX }, async () => {
    const { members } = await connect().cluster.memberList({});
    assert.deepEqual(
      members.map((member) => member.clientURLs[0]).sort(),
      nodes.map((node) => `http://${node.endpoint}`).sort(),
    );
    const leaders = new Set();
    for (const node of nodes) {
      const status = await connect([node.endpoint]).maintenance.status();
      assert.match(status.version, /^3\.\d+\.\d+$/);
      assert(Number(status.dbSize) > 0);
      assert(Number(status.raftIndex) > 0);
      const self = members.find((member) => member.clientURLs[0].endsWith(node.endpoint));
      assert.equal(status.header.member_id, self.ID);
      leaders.add(status.leader);
    }
    assert.equal(leaders.size, 1);
    assert(members.some((member) => leaders.has(member.ID)));
  });

  test('each member hashes and defragments its store', { timeout: CASE_MS_MAX }, async () => {
    for (const node of nodes) {
      const client = connect([node.endpoint]);
      const { hash } = await client.maintenance.hash();
      assert(hash > 0);
      await client.put('hashed').value(node.endpoint);
      assert.notEqual((await client.maintenance.hash()).hash, hash);
      await client.maintenance.defragment();
      assert.equal(await client.get('hashed').string(), node.endpoint);
    }
    const all = { action: 'Get', memberID: 0, alarm: 'None' };
    assert.deepEqual((await connect().maintenance.alarm(all)).alarms, []);
  });

  test('a snapshot has its checksum', { timeout: CASE_MS_MAX }, async () => {
    const client = connect([nodes[0].endpoint]);
    await client.put('in the snapshot').value('v');
    const stream = await client.maintenance.snapshot();
    const pieces = [];
    stream.on('data', ({ blob }) => pieces.push(blob));
    await once(stream, 'end');
    const all = Buffer.concat(pieces);
    const content = all.subarray(0, -CHECKSUM_BYTES);
    assert(content.includes('in the snapshot'));
    assert.deepEqual(createHash('sha256').update(content).digest(), all.subarray(-CHECKSUM_BYTES));
  });
});

// The node that leads.
async function findLeader() {
  for (const node of nodes) {
    const status = await connect([node.endpoint]).maintenance.status();
    if (status.leader === status.header.member_id) return node;
  }
  throw new Error('nobody leads');
}

// A watcher whose stream is on `node`: a client takes one of its nodes by chance.
async function watchOn(node, prefix) {
  for (;;) {
    const watcher = await connect().watch().prefix(prefix).create();
    if (watcher.manager.stream.getPeer() === node.endpoint) return watcher;
    await watcher.cancel();
  }
}

// Last, as it leaves two nodes.
describe('when the leader dies', () => {
  test('watches, leases and calls go on', { timeout: CASE_MS_MAX }, async () => {
    const leader = await findLeader();
    const client = connect();
    const lease = client.lease(10);
    await lease.put('leased').value('v');
    const watcher = await watchOn(leader, 'go on/');
    const told = listen(watcher);
    await client.put('go on/a').value('before');
    await waitForEvents(watcher, told, 1);
    const disconnected = once(watcher, 'disconnected');
    process.kill(leader.pid, 'SIGKILL');
    await disconnected;
    const expected = ['put go on/a before'];
    for (let number = 0; number < 20; ++number) {
      await insist(() => client.put(`go on/${number}`).value('v'));
      expected.push(`put go on/${number} v`);
    }
    await waitForEvents(watcher, told, expected.length);
    // A put whose answer was lost has been made twice.
    assert.deepEqual(told.filter((event, place) => event !== told[place - 1]), expected);
    assert.equal((await insist(() => lease.keepaliveOnce())).TTL, '10');
    assert.equal(await insist(() => client.get('leased').string()), 'v');
    await watcher.cancel();
    await insist(() => lease.revoke());
  });
});
