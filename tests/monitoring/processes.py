"""What monitoring_test.py watches and watches with: a cluster of real nodes, and a real Prometheus."""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / 'deploy/prometheus'
HOST = '127.0.0.1'
START_ATTEMPTS_MAX = 3
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 20
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


def wait_for(what, seconds, probe):
    """The first true value that `probe` returns. An OSError of it means: not yet."""
    deadline = time.monotonic() + seconds
    while True:
        problem = ''
        try:
            found = probe()
            if found:
                return found
        except OSError as error:
            problem = f': {error}'
        if time.monotonic() > deadline:
            raise AssertionError(f'{what}: not within {seconds} s{problem}')
        time.sleep(0.1)


def fetch(port, path):
    """What is answered there. It never asks a proxy, as urllib would."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request('GET', path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def free_ports(count):
    """Numbers that nobody listens on now. Somebody may by the time they are used: start again then."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def start_on_free_ports(service):
    """Starts it; once more with other ports, as long as something is in the way."""
    for attempt in range(1, START_ATTEMPTS_MAX + 1):
        try:
            service.start_once(attempt)
            return
        except AssertionError:
            service.kill()
            if attempt == START_ATTEMPTS_MAX:
                raise


class Child:
    """A process of the test. It ends with the test, however that ends."""

    def __init__(self, command, log, **options):
        env = {name: value for name, value in os.environ.items()
               if not name.lower().endswith('_proxy')
               and not name.startswith(('PONTOON_', 'PONTOONCTL_', 'ETCD_'))}
        self.log = log
        with open(log, 'ab') as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stderr=output,
                stdout=options.get('stdout', output), env=env, start_new_session=True,
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.pid = self.process.pid

    def runs(self):
        return self.process.poll() is None

    def send(self, number):
        self.process.send_signal(number)

    def stop(self):
        if not self.runs():
            return
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        if self.runs():
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def expect_to_run(self):
        if not self.runs():
            lines = self.log.read_text(errors='replace').splitlines()
            raise AssertionError(f'{self.log} ends with:\n' + '\n'.join(lines[-5:]))

    def resident_bytes(self):
        pages = int(pathlib.Path(f'/proc/{self.pid}/statm').read_text().split()[1])
        return pages * os.sysconf('SC_PAGESIZE')


class Node(Child):
    def __init__(self, command, log, name, client_port, metrics_port):
        super().__init__(command, log)
        self.name = name
        self.endpoint = f'{HOST}:{client_port}'
        self.metrics_port = metrics_port
        self.member_id = None

    @property
    def target(self):
        return f'{HOST}:{self.metrics_port}'

    def is_ready(self):
        self.expect_to_run()
        return fetch(self.metrics_port, '/readyz')[0] == 200

    def leads(self):
        return '\npontoon_raft_is_leader 1\n' in fetch(self.metrics_port, '/metrics')[1]


class Cluster:
    """Three nodes on the loopback interface, with a leader."""

    def __init__(self, folder, pontoon, pontoonctl, flags=()):
        self.folder = folder
        self.pontoon = pontoon
        self.pontoonctl = pontoonctl
        self.flags = list(flags)
        self.nodes = []
        self.loads = []

    def start(self):
        start_on_free_ports(self)
        listed = json.loads(self.run('--output', 'json', 'member', 'list'))
        ids = {member['name']: member['member_id'] for member in listed}
        for node in self.nodes:
            node.member_id = ids[node.name]

    def start_once(self, attempt):
        folder = self.folder / f'attempt{attempt}'
        folder.mkdir()
        ports = free_ports(9)
        clients, peers, metrics = ports[:3], ports[3:6], ports[6:]
        members = ','.join(f'node{i}=http://{HOST}:{peers[i]}' for i in range(3))
        self.nodes = []
        for i in range(3):
            self.nodes.append(Node(
                [self.pontoon, '--name', f'node{i}', '--data-dir', folder / f'node{i}',
                 '--listen-client-urls', f'http://{HOST}:{clients[i]}',
                 '--advertise-client-urls', f'http://{HOST}:{clients[i]}',
                 '--listen-peer-urls', f'http://{HOST}:{peers[i]}',
                 '--initial-advertise-peer-urls', f'http://{HOST}:{peers[i]}',
                 '--initial-cluster', members,
                 '--listen-metrics-urls', f'http://{HOST}:{metrics[i]}', *self.flags],
                folder / f'node{i}.log', f'node{i}', clients[i], metrics[i]))
        for node in self.nodes:
            wait_for(f'{node.name} is ready', START_SECONDS_MAX, node.is_ready)

    def run(self, *arguments, nodes=None):
        """What pontoonctl prints, asked about these nodes."""
        endpoints = ','.join(node.endpoint for node in nodes or self.nodes)
        child = Child([self.pontoonctl, '--endpoints', endpoints, *arguments],
                      self.folder / 'pontoonctl.log', stdout=subprocess.PIPE)
        try:
            output = child.process.communicate(timeout=120)[0].decode()
        finally:
            child.kill()
        assert child.process.returncode == 0, (arguments, child.process.returncode, output)
        return output

    def leader(self):
        return wait_for('somebody leads', START_SECONDS_MAX,
                        lambda: next((node for node in self.nodes if node.leads()), None))

    def start_load(self, nodes):
        """Puts, a hundred a second, through these nodes until it is stopped."""
        load = Child([self.pontoonctl, '--endpoints', ','.join(node.endpoint for node in nodes),
                      'bench', 'put', '--duration', '1h', '--rate', 100, '--clients', 8,
                      '--connections', 2, '--keys', 1000], self.folder / 'load.log')
        self.loads.append(load)
        return load

    def bench(self, seconds, rate):
        return json.loads(self.run(
            '--output', 'json', 'bench', 'put', '--duration', f'{seconds}s', '--rate', rate,
            '--clients', 20, '--keys', 1000))

    def kill(self):
        for child in (*self.loads, *self.nodes):
            child.kill()


class Prometheus:
    """Debian's Prometheus with the configuration and the rules of deploy/prometheus. Only what the
    configuration leaves to the operator is another: the file of targets, and the two intervals."""

    def __init__(self, folder, program, targets):
        self.child = None
        self.program = program
        self.folder = folder / 'prometheus'
        shutil.copytree(SHIPPED, self.folder)
        config = self.folder / 'prometheus.yml'
        text, changes = re.subn(r'^(  (?:scrape|evaluation)_interval): .*$', r'\1: 1s',
                                config.read_text(), flags=re.MULTILINE)
        assert changes == 2, f'{changes} intervals in {config}'
        config.write_text(text)
        for file in (self.folder / 'targets').iterdir():
            file.unlink()
        # JSON is YAML as well.
        (self.folder / 'targets/test.yml').write_text(
            json.dumps([{'targets': targets, 'labels': {'cluster': 'test'}}]))

    def start(self):
        start_on_free_ports(self)

    def start_once(self, attempt):
        (self.port,) = free_ports(1)
        self.child = Child(
            [self.program, f'--config.file={self.folder}/prometheus.yml',
             f'--web.listen-address={HOST}:{self.port}',
             f'--storage.tsdb.path={self.folder}/data{attempt}', '--log.level=warn'],
            self.folder / 'log')
        wait_for('Prometheus is ready', START_SECONDS_MAX, self.is_ready)

    def is_ready(self):
        self.child.expect_to_run()
        return fetch(self.port, '/-/ready')[0] == 200

    def ask(self, path, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        status, body = fetch(self.port, f'/api/v1/{path}?{query}')
        answer = json.loads(body)
        assert status == 200 and answer['status'] == 'success', (path, parameters, body)
        return answer['data']

    def query(self, expression):
        """The series that it has now: pairs of labels and value."""
        data = self.ask('query', query=expression)
        if data['resultType'] == 'scalar':
            return [({}, float(data['result'][1]))]
        return [(series['metric'], float(series['value'][1])) for series in data['result']]

    def samples(self, selector, seconds):
        """The samples of the one series of the last seconds: pairs of time and value."""
        result = self.ask('query', query=f'{selector}[{seconds}s]')['result']
        assert len(result) == 1, (selector, result)
        return [(float(at), float(value)) for at, value in result[0]['values']]

    def alerts(self, state=None):
        """The alerts that are pending or fire: pairs of name and labels."""
        return [(alert['labels']['alertname'], alert['labels'])
                for alert in self.ask('alerts')['alerts'] if state in (None, alert['state'])]

    def rules(self):
        return [rule for group in self.ask('rules')['groups'] for rule in group['rules']]

    def kill(self):
        if self.child is not None:
            self.child.kill()
