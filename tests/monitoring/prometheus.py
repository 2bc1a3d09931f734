"""A real Prometheus, with what deploy/prometheus ships."""

import http.client
import json
import pathlib
import re
import shutil
import urllib.parse

from processes.child import Child
from processes.ports import HOST, free_ports, start_on_free_ports
from processes.waiting import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / 'deploy/prometheus'
START_SECONDS_MAX = 30


def fetch(port, path):
    """What is answered there. It never asks a proxy, as urllib would."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request('GET', path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


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

    def start_once(self):
        (self.port,) = free_ports(1)
        self.child = Child(
            [self.program, f'--config.file={self.folder}/prometheus.yml',
             f'--web.listen-address={HOST}:{self.port}',
             f'--storage.tsdb.path={self.folder}/data', '--log.level=warn'],
            self.folder / 'log')
        self.child.start()
        wait_for(self.is_ready, 'Prometheus is ready', START_SECONDS_MAX)

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
