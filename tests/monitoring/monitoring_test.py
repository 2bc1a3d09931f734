#!/usr/bin/env python3
"""Watches three real nodes with a real Prometheus, with what deploy/prometheus and deploy/grafana ship.

Shows that a follower's lag and its alert come and go with a stopped follower, that every rule and
every panel of the dashboard finds what it asks for, that expressions made for etcd do with
--metrics-compat=etcd, and that scrapes cost no memory. The last line is "N passed, N failed"."""

import argparse
import concurrent.futures
import contextlib
import http.client
import json
import math
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from processes.cluster import Cluster
from processes.ports import HOST
from processes.waiting import wait_for
from prometheus import ROOT, SHIPPED, Prometheus, fetch

DASHBOARD = ROOT / 'deploy/grafana/dashboards/pontoon.json'
OPERATIONS = ROOT / 'docs/operations.md'
ETCD_EXPRESSIONS = pathlib.Path(__file__).with_name('etcd_expressions.txt')

LAG_ERROR_MAX = 0.1
# From the stop of a follower: 10 s of lag for 30 s; of a member that is down for a minute.
LAG_ALERT_SECONDS_MAX = 60
DOWN_ALERT_SECONDS_MAX = 90
RESOLVED_SECONDS_MAX = 30
DATA_SECONDS_MAX = 30
SCRAPES_PER_CONNECTION = 2
WARM_UP_SCRAPES = 100
# What a scraped node may grow by, more than one that is not: the allocator's, and of the threads'.
GROWTH_BYTES_MAX = 4 << 20
# From so many scrapes on, the time that puts take is reported too.
LONG_RUN_SCRAPES = 5000
BENCH_SECONDS = 10
BENCH_RATE = 500
# Of all nodes together: some hundred times what a Prometheus asks for.
SCRAPE_RATE = 100

# Expressions of the dashboard that may find nothing, by the title of their panel, and why.
EMPTY_IS_RIGHT = {}


class WatchedCluster(Cluster):
    """Three nodes whose puts can be timed."""

    def bench(self, seconds, rate):
        """What the tool says of so many puts a second."""
        return json.loads(self.run(
            '--output', 'json', 'bench', 'put', '--duration', f'{seconds}s', '--rate', rate,
            '--clients', 20, '--keys', 1000))


class Interrupted(BaseException):
    """A signal asks the test to end."""


class Results:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, case, *arguments, **named):
        """One case, which fails by an exception. What it returns is shown."""
        print(f'== monitoring: {name}', flush=True)
        try:
            note = case(*arguments, **named)
            self.passed += 1
            if note:
                print(note, flush=True)
            return True
        except Exception as error:  # whatever is wrong, the other cases are looked at
            self.failed += 1
            print(f'FAILED: monitoring: {name}: {type(error).__name__}: {error}', flush=True)
            return False


def finite(series):
    return [value for _, value in series if math.isfinite(value)]


def expect_data(prometheus, expressions):
    """Waits until each of them has a finite value: a rate needs two scrapes."""
    empty = dict.fromkeys(expressions)

    def all_have_data():
        for expression in list(empty):
            if finite(prometheus.query(expression)):
                del empty[expression]
        return not empty

    try:
        wait_for(all_have_data, 'data', DATA_SECONDS_MAX)
    except AssertionError as error:
        raise AssertionError('no data of:\n  ' + '\n  '.join(empty)) from error
    return f'{len(expressions)} expressions'


def is_scraped(prometheus, nodes):
    want = sorted((node.metrics_address, 'pontoon', 'test') for node in nodes)

    def targets_are_up():
        targets = prometheus.ask('targets')['activeTargets']
        got = sorted((t['labels']['instance'], t['labels']['job'], t['labels']['cluster'])
                     for t in targets)
        return got == want and all(target['health'] == 'up' for target in targets)

    wait_for(targets_are_up, f'{want} are up', DATA_SECONDS_MAX)


def metrics_are_well_formed(cluster):
    text = fetch(cluster.leader().metrics_port, '/metrics')[1]
    found = subprocess.run(['promtool', 'check', 'metrics'], input=text, text=True,
                           capture_output=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def rules_work(prometheus):
    text = ''.join((SHIPPED / name).read_text() for name in ('recording_rules.yml', 'alerts.yml'))
    want = sorted(re.findall(r'^ *- (?:alert|record): (\S+)$', text, re.MULTILINE))

    def all_are_evaluated():
        rules = prometheus.rules()
        assert sorted(rule['name'] for rule in rules) == want
        for rule in rules:
            assert rule['health'] in ('ok', 'unknown'), (rule['name'], rule.get('lastError'))
        return all(rule['health'] == 'ok' for rule in rules)

    wait_for(all_are_evaluated, 'all rules are evaluated', DATA_SECONDS_MAX)
    return f'{len(want)} rules'


def rules_ask_for_what_is_there(prometheus):
    there = set(prometheus.ask('label/__name__/values'))
    for rule in prometheus.rules():
        asked = set(re.findall(r'\b(?:\w+:)?(?:pontoon|process)_\w+(?::\w+)?\b|\bup\b', rule['query']))
        assert asked and asked <= there, (rule['name'], asked - there)


def anchors_of(markdown):
    """Those of its headings, as a web view of the repository makes them."""
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
            for heading in re.findall(r'^#+ (.*)$', markdown, re.MULTILINE)}


def alerts_say_what_to_do(prometheus):
    anchors = anchors_of(OPERATIONS.read_text())
    alerts = [rule for rule in prometheus.rules() if rule['type'] == 'alerting']
    for alert in alerts:
        name, notes = alert['name'], alert['annotations']
        assert alert['labels'].get('severity') in ('critical', 'warning'), name
        assert set(notes) == {'summary', 'description', 'runbook_url'}, name
        path, _, anchor = notes['runbook_url'].partition('#')
        assert path == str(OPERATIONS.relative_to(ROOT)) and anchor == name.lower(), name
        assert anchor in anchors, f'{OPERATIONS} has no section {name}'
    return f'{len(alerts)} alerts'


def records_have_data(prometheus):
    return expect_data(prometheus, [rule['name'] for rule in prometheus.rules()
                                    if rule['type'] == 'recording'])


def panels_of(dashboard):
    for panel in dashboard['panels']:
        yield panel
        yield from panel.get('panels', [])


def variables_of(dashboard):
    return {variable['name']: variable for variable in dashboard['templating']['list']}


def dashboard_has_data(prometheus):
    dashboard = json.loads(DASHBOARD.read_text())
    # As Grafana does for "All".
    values = {f'${name}': variable['allValue']
              for name, variable in variables_of(dashboard).items() if 'allValue' in variable}
    values['$__rate_interval'] = '40s'
    expressions, unused = [], set(EMPTY_IS_RIGHT)
    for panel in panels_of(dashboard):
        if panel['title'] in EMPTY_IS_RIGHT:
            unused.discard(panel['title'])
            continue
        for target in panel.get('targets', []):
            expression = target['expr']
            for name, value in values.items():
                expression = expression.replace(name, value)
            assert '$' not in expression, expression
            expressions.append(expression)
    assert not unused, f'no such panel: {unused}'
    return expect_data(prometheus, expressions)


def dashboard_is_well_formed():
    dashboard = json.loads(DASHBOARD.read_text())
    panels = list(panels_of(dashboard))
    ids = [panel['id'] for panel in panels]
    assert len(set(ids)) == len(ids), 'two panels have the same id'
    variables = variables_of(dashboard)
    boxes = []
    for panel in panels:
        box = panel['gridPos']
        assert box['x'] + box['w'] <= 24, panel['title']
        for other in boxes:
            apart = (box['x'] + box['w'] <= other['x'] or other['x'] + other['w'] <= box['x'] or
                     box['y'] + box['h'] <= other['y'] or other['y'] + other['h'] <= box['y'])
            assert apart, f'{panel["title"]} lies on another panel'
        boxes.append(box)
        assert panel['type'] == 'row' or panel['targets'], panel['title']
        for target in panel.get('targets', []):
            assert target['datasource'] == {'type': 'prometheus', 'uid': '${datasource}'}
    assert variables['datasource']['type'] == 'datasource'
    return f'{len(panels)} panels'


def variables_find_the_nodes(prometheus, nodes):
    dashboard = json.loads(DASHBOARD.read_text())
    want = {'job': {'pontoon'}, 'cluster': {'test'}, 'instance': {node.metrics_address for node in nodes}}
    for name, values in want.items():
        query = variables_of(dashboard)[name]['query']['query']
        selector, label = re.fullmatch(r'label_values\((.*), (\w+)\)', query).groups()
        selector = selector.replace('$job', 'pontoon.*').replace('$cluster', '.*')
        assert set(prometheus.ask(f'label/{label}/values', **{'match[]': selector})) == values, name


def nothing_alerts(prometheus):
    # At first not all targets have been scraped, for which an alert waits some time.
    resolves(prometheus)
    fired = prometheus.query('max_over_time(ALERTS{alertstate="firing"}[10m])')
    assert not fired, fired


def fires(prometheus, seconds, name, **labels):
    def is_there():
        return any(found == name and labels.items() <= has.items()
                   for found, has in prometheus.alerts('firing'))

    begun = time.monotonic()
    wait_for(is_there, f'{name} fires', seconds)
    return f'{name} fires after {time.monotonic() - begun:.0f} s more'


def lag_follows_the_clock(prometheus, selector, stopped_at):
    """Each sample against the time since the stop, and the growth between the first and the last."""
    samples = [(at, value) for at, value in prometheus.samples(selector, 120) if at > stopped_at + 5]
    assert len(samples) >= 20, samples
    for at, value in samples:
        want = at - stopped_at
        assert abs(value - want) <= LAG_ERROR_MAX * want, f'{value} s, after {want} s'
    (first_at, first), (last_at, last) = samples[0], samples[-1]
    slope = (last - first) / (last_at - first_at)
    assert abs(slope - 1) <= LAG_ERROR_MAX, slope
    return (f'{last:.2f} s after {last_at - stopped_at:.2f} s, {len(samples)} samples; it grows '
            f'{slope:.3f} s a second')


def only_these_alert(prometheus, names):
    got = {name for name, _ in prometheus.alerts()}
    assert got == names, got


def falls_to_zero(prometheus, selector, load):
    wait_for(lambda: all(value < 1 for _, value in prometheus.query(selector)),
             'the follower catches up', RESOLVED_SECONDS_MAX)
    load.stop()
    wait_for(lambda: [value for _, value in prometheus.query(selector)] == [0],
             'the lag is 0', RESOLVED_SECONDS_MAX)


def resolves(prometheus):
    wait_for(lambda: not prometheus.alerts(), 'no alert is left', RESOLVED_SECONDS_MAX)


def check_stopped_follower(results, prometheus, cluster):
    leader = cluster.leader()
    followers = [node for node in cluster.nodes if node is not leader]
    stopped, other = followers
    load = cluster.start_load([leader, other])
    peer = stopped.member_id
    selector = f'pontoon_raft_follower_lag_seconds{{peer="{peer}"}}'
    stopped.send(signal.SIGSTOP)
    stopped_at = time.time()
    try:
        results.check('a stopped follower raises the alert on lag', fires, prometheus,
                      LAG_ALERT_SECONDS_MAX, 'PontoonFollowerLags', peer=peer)
        results.check('its lag grows with the clock', lag_follows_the_clock, prometheus, selector,
                      stopped_at)
        results.check('it is said to be down', fires, prometheus, DOWN_ALERT_SECONDS_MAX,
                      'PontoonMemberDown', instance=stopped.metrics_address)
        results.check('the quorum is said to be at risk', fires, prometheus,
                      DOWN_ALERT_SECONDS_MAX, 'PontoonQuorumAtRisk', cluster='test')
        results.check('nothing else alerts', only_these_alert, prometheus,
                      {'PontoonFollowerLags', 'PontoonMemberDown', 'PontoonQuorumAtRisk'})
    finally:
        stopped.send(signal.SIGCONT)
    results.check('when it runs again its lag falls to 0', falls_to_zero, prometheus, selector, load)
    results.check('the alerts resolve', resolves, prometheus)


def series_follow_the_leader(prometheus, cluster):
    deposed = cluster.leader()
    chosen = next(node for node in cluster.nodes if node is not deposed)
    cluster.run('move-leader', chosen.member_id)
    want = sorted((chosen.metrics_address, node.member_id) for node in cluster.nodes if node is not chosen)

    def only_the_chosen_has_followers():
        found = prometheus.query('pontoon_raft_follower_lag_seconds')
        return sorted((labels['instance'], labels['peer']) for labels, _ in found) == want

    wait_for(only_the_chosen_has_followers, f'only {chosen.metrics_address} has followers', DATA_SECONDS_MAX)


def scrape_again(connection):
    """A scrape on a connection that is kept. Its bytes."""
    connection.request('GET', '/metrics')
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200 and b'\npontoon_raft_is_leader ' in body
    return len(body)


def scrape(port):
    """Two scrapes, the second one on the connection of the first. Their bytes."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=10)) as connection:
        return sum(scrape_again(connection) for _ in range(SCRAPES_PER_CONNECTION))


def scrapes_cost_no_memory(cluster, count):
    """Against the other follower, which has the same load and is not scraped."""
    leader = cluster.leader()
    scraped, other = [node for node in cluster.nodes if node is not leader]
    load = cluster.start_load(cluster.nodes)
    try:
        for _ in range(0, WARM_UP_SCRAPES, SCRAPES_PER_CONNECTION):
            scrape(scraped.metrics_port)
        before = scraped.resident_bytes(), other.resident_bytes()
        begun = time.monotonic()
        received = sum(scrape(scraped.metrics_port)
                       for _ in range(0, count, SCRAPES_PER_CONNECTION))
        seconds = time.monotonic() - begun
        growth = scraped.resident_bytes() - before[0]
        growth_of_other = other.resident_bytes() - before[1]
        load.expect_to_run()
    finally:
        load.stop()
    note = (f'{count} scrapes in {seconds:.1f} s, {received / count:.0f} bytes each; resident before '
            f'{before[0]} bytes, grown by {growth}; the other follower: {before[1]}, {growth_of_other}')
    assert growth - max(growth_of_other, 0) <= GROWTH_BYTES_MAX, note
    return note


@contextlib.contextmanager
def scraping(nodes):
    """Scrapes them in turn, SCRAPE_RATE times a second in all, on connections that are kept, as
    Prometheus does. Yields the number so far."""
    done = [0]
    if not nodes:
        yield done
        return
    stop = threading.Event()

    def run():
        begun = time.monotonic()
        with contextlib.ExitStack() as at_the_end:
            connections = [
                at_the_end.enter_context(contextlib.closing(
                    http.client.HTTPConnection(HOST, node.metrics_port, timeout=10)))
                for node in nodes]
            while not stop.wait(max(0, begun + done[0] / SCRAPE_RATE - time.monotonic())):
                scrape_again(connections[done[0] % len(connections)])
                done[0] += 1

    with concurrent.futures.ThreadPoolExecutor(1) as background:
        scraper = background.submit(run)
        try:
            yield done
        finally:
            stop.set()
    scraper.result()  # an error there is one of the test


def report_puts(cluster, outsider, count):
    """Shows the time that puts take while all nodes are scraped, while another node is that has no
    part in them, and while none is, in turns until the nodes were scraped `count` times. A scraper
    and what answers it take processor time that everybody here shares; what the scraped nodes lose
    beyond that, by locks, is between the first two. It judges nothing: on a machine that others use
    the figures vary by more than what is to be seen."""
    ways = {'scraped': cluster.nodes, 'another scraped': [outsider] * len(cluster.nodes),
            'not scraped': []}
    p99 = {way: [] for way in ways}
    print(f'puts, {BENCH_RATE} a second, {BENCH_SECONDS} s each; {SCRAPE_RATE} scrapes a second; p99 '
          f'in us:')
    scrapes = 0
    order = list(ways)
    while scrapes < count:
        for way in order:
            with scraping(ways[way]) as done:
                figures = cluster.bench(BENCH_SECONDS, BENCH_RATE)
            p99[way].append(figures['latency_p99_us'])
            scrapes += done[0] if way == 'scraped' else 0
        print('  ' + ', '.join(f'{way} {p99[way][-1]:.0f}' for way in ways), flush=True)
        order.append(order.pop(0))  # whatever drifts, drifts for all
    print(f'  {scrapes} scrapes of the nodes; medians: ' + ', '.join(
        f'{way} {statistics.median(p99[way]):.0f}' for way in ways), flush=True)
    for other in ('another scraped', 'not scraped'):
        ratios = [mine / theirs for mine, theirs in zip(p99['scraped'], p99[other], strict=True)]
        print(f'  scraped / {other}: median of {len(ratios)} ratios {statistics.median(ratios):.3f}')


def etcd_expressions_have_data(prometheus):
    lines = ETCD_EXPRESSIONS.read_text().splitlines()
    return expect_data(prometheus, [line for line in lines if line and not line.startswith('#')])


def a_refusal_counts_where_the_client_asked(prometheus, cluster):
    """All members apply the write; one has the client."""
    asked = next(node for node in cluster.nodes if node is not cluster.leader())
    done = cluster.call('lock', 'job', '--', 'env', 'PONTOON_LOCK_TOKEN=1', cluster.pontoonctl,
                        '--endpoints', asked.endpoint, 'put', 'guarded', 'x', '--fence')
    assert done.returncode == 1 and 'the lock of the fence is not held' in done.stderr, done
    want = {node.metrics_address: float(node is asked) for node in cluster.nodes}

    def is_counted():
        found = prometheus.query('pontoon_fence_refusals_total')
        return {labels['instance']: value for labels, value in found} == want

    wait_for(is_counted, f'one refusal, at {asked.metrics_address}', DATA_SECONDS_MAX)


def etcd_names_are_absent(prometheus):
    names = [name for name in prometheus.ask('label/__name__/values')
             if name.startswith(('etcd_', 'grpc_'))]
    assert not names, names


def check_own_metrics(results, start_cluster, start_prometheus, scrapes):
    cluster = start_cluster()
    prometheus = start_prometheus(cluster)
    load = cluster.start_load(cluster.nodes)
    if not results.check('all nodes are scraped', is_scraped, prometheus, cluster.nodes):
        return
    results.check("the metrics are as Prometheus' guide wants them", metrics_are_well_formed, cluster)
    results.check('all rules are evaluated', rules_work, prometheus)
    results.check('every recording rule has data', records_have_data, prometheus)
    results.check('rules ask for metrics that are there', rules_ask_for_what_is_there, prometheus)
    results.check('every alert says what to do', alerts_say_what_to_do, prometheus)
    results.check('the dashboard is well formed', dashboard_is_well_formed)
    results.check('every panel of the dashboard has data', dashboard_has_data, prometheus)
    results.check('its variables find the nodes', variables_find_the_nodes, prometheus, cluster.nodes)
    results.check('a write that a fence refused counts at one node',
                  a_refusal_counts_where_the_client_asked, prometheus, cluster)
    results.check("etcd's names are not shown unasked", etcd_names_are_absent, prometheus)
    results.check('nothing alerts while all is well', nothing_alerts, prometheus)
    load.stop()
    check_stopped_follower(results, prometheus, cluster)
    results.check("a deposed leader's series of followers end", series_follow_the_leader, prometheus,
                  cluster)
    prometheus.kill()  # it would scrape as well
    results.check('scrapes cost no memory', scrapes_cost_no_memory, cluster, scrapes)
    if scrapes >= LONG_RUN_SCRAPES:
        report_puts(cluster, start_cluster().nodes[0], scrapes)
    cluster.kill()


def check_etcd_metrics(results, start_cluster, start_prometheus):
    cluster = start_cluster('--metrics-compat', 'etcd')
    prometheus = start_prometheus(cluster)
    cluster.start_load(cluster.nodes)
    if not results.check("with etcd's names, all nodes are scraped", is_scraped, prometheus,
                         cluster.nodes):
        return
    results.check('expressions made for etcd have data', etcd_expressions_have_data, prometheus)
    results.check('and those of the dashboard', dashboard_has_data, prometheus)


def run(results, arguments):
    with contextlib.ExitStack() as at_the_end:
        folder = pathlib.Path(tempfile.mkdtemp(prefix='pontoon-monitoring-'))
        at_the_end.callback(shutil.rmtree, folder)

        def new_folder(name):
            return pathlib.Path(tempfile.mkdtemp(prefix=name, dir=folder))

        def start_cluster(*flags):
            cluster = at_the_end.enter_context(
                WatchedCluster(new_folder('nodes'), arguments.pontoon, arguments.pontoonctl, flags))
            cluster.start()
            return cluster

        def start_prometheus(cluster):
            prometheus = Prometheus(new_folder('watch'), arguments.prometheus,
                                    [node.metrics_address for node in cluster.nodes])
            at_the_end.callback(prometheus.kill)
            prometheus.start()
            return prometheus

        def ignore_signals():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)

        at_the_end.callback(ignore_signals)
        check_own_metrics(results, start_cluster, start_prometheus, arguments.scrapes)
        check_etcd_metrics(results, start_cluster, start_prometheus)


def interrupt(number, _):
    raise Interrupted(signal.Signals(number).name)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pontoon', required=True, type=pathlib.Path, help='the server')
    parser.add_argument('--pontoonctl', required=True, type=pathlib.Path, help='the tool')
    parser.add_argument('--prometheus', default=shutil.which('prometheus'))
    parser.add_argument('--scrapes', type=int, default=500, metavar='N',
                        help='scrapes in a row that must cost no memory (default %(default)s); from '
                        f'{LONG_RUN_SCRAPES} on, the time that puts take is reported too')
    arguments = parser.parse_args()
    results = Results()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        assert arguments.prometheus, ('there is no prometheus. Run this once as root:\n'
                                      '  deploy/install-packages.sh --with-tests')
        run(results, arguments)
    except Interrupted as error:
        results.failed += 1
        print(f'FAILED: monitoring: ended by {error}')
    except Exception as error:
        results.failed += 1
        print(f'FAILED: monitoring: {type(error).__name__}: {error}')
    print(f'{results.passed} passed, {results.failed} failed')
    return 0 if results.failed == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
