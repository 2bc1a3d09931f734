#!/usr/bin/python3
"""Checks that what must agree in deploy/kubernetes/pontoon.yaml does: names, ports, addresses and
labels, with each other, with the image and with the server's flags. It needs no Kubernetes, and so it
cannot tell whether one would take the file. The last line is "N passed, N failed"."""

import pathlib
import re
import sys

try:
    import yaml
except ImportError:
    print('kubernetes_test: there is no Python module yaml; run this once as root:\n'
          '  deploy/install-packages.sh --with-containers', file=sys.stderr)
    print('0 passed, 1 failed')
    sys.exit(1)

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFEST = ROOT / 'deploy/kubernetes/pontoon.yaml'
DOCKERFILE = ROOT / 'deploy/Dockerfile'
SETTINGS = ROOT / 'cmd/pontoon/settings.cc'
VERSION = ROOT / 'kv/service/version.h'


class OneKeyLoader(yaml.SafeLoader):
    """Refuses a key that is there twice: Kubernetes would take the last one in silence."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key {key} is there twice', node.start_mark)
        return super().construct_mapping(node, deep)


class Manifest:
    """The objects of the file, and the parts of the StatefulSet that the checks look at."""

    def __init__(self, text):
        self.objects = [o for o in yaml.load_all(text, Loader=OneKeyLoader) if o is not None]
        self.set = self.one('StatefulSet', 'pontoon')
        self.members = self.one('Service', self.set['spec']['serviceName'])
        self.pod = self.set['spec']['template']['spec']
        (self.container,) = self.pod['containers']
        self.names = [f'pontoon-{i}' for i in range(self.set['spec']['replicas'])]

    def one(self, kind, name):
        (found,) = [o for o in self.objects
                    if o['kind'] == kind and o['metadata']['name'] == name]
        return found

    def env(self, pod_name):
        """What the container of this pod finds in its environment."""
        values = {}
        for entry in self.container['env']:
            if 'value' in entry:
                values[entry['name']] = re.sub(
                    r'\$\((\w+)\)', lambda match: values[match[1]], entry['value'])
            else:
                assert entry['valueFrom'] == {'fieldRef': {'fieldPath': 'metadata.name'}}, entry
                values[entry['name']] = pod_name
        return values

    def container_ports(self):
        return {port['name']: port['containerPort'] for port in self.container['ports']}


def port_of(url):
    return int(url.rsplit(':', 1)[1])


def objects_are_those_that_are_meant(m):
    kinds = sorted((o['kind'], o['apiVersion'], o['metadata']['name']) for o in m.objects)
    assert kinds == [('PodDisruptionBudget', 'policy/v1', 'pontoon'),
                     ('Service', 'v1', 'pontoon'), ('Service', 'v1', 'pontoon-members'),
                     ('StatefulSet', 'apps/v1', 'pontoon')], kinds
    assert not any('namespace' in o['metadata'] for o in m.objects), 'the caller chooses it'


def selectors_find_the_pods(m):
    labels = m.set['spec']['template']['metadata']['labels']
    selectors = [m.set['spec']['selector']['matchLabels'],
                 m.one('PodDisruptionBudget', 'pontoon')['spec']['selector']['matchLabels'],
                 m.one('Service', 'pontoon')['spec']['selector'], m.members['spec']['selector']]
    for term in m.pod['affinity']['podAntiAffinity'][
            'preferredDuringSchedulingIgnoredDuringExecution']:
        selectors.append(term['podAffinityTerm']['labelSelector']['matchLabels'])
    for selector in selectors:
        assert selector and selector.items() <= labels.items(), (selector, labels)


def services_lead_to_ports_of_the_container(m):
    ports = m.container_ports()
    for service, names in ((m.members, {'client', 'peer', 'metrics'}),
                           (m.one('Service', 'pontoon'), {'client'})):
        assert {port['name'] for port in service['spec']['ports']} == names
        for port in service['spec']['ports']:
            assert port['port'] == ports[port['targetPort']], port


def members_have_names_before_they_are_ready(m):
    assert m.members['spec']['clusterIP'] == 'None'
    assert m.members['spec']['publishNotReadyAddresses'] is True
    assert m.set['spec']['podManagementPolicy'] == 'Parallel'


def server_listens_on_the_ports_of_the_container(m):
    env, ports = m.env('pontoon-0'), m.container_ports()
    assert ports == {'client': 2379, 'peer': 2380, 'metrics': 2381}, ports
    for variable, port in (('LISTEN_CLIENT', 'client'), ('ADVERTISE_CLIENT', 'client'),
                           ('LISTEN_PEER', 'peer'), ('INITIAL_ADVERTISE_PEER', 'peer'),
                           ('LISTEN_METRICS', 'metrics')):
        assert port_of(env[f'PONTOON_{variable}_URLS']) == ports[port], variable


def initial_cluster_lists_every_pod(m):
    service = m.members['metadata']['name']
    want = ','.join(f'{name}=http://{name}.{service}:2380' for name in m.names)
    for name in m.names:
        env = m.env(name)
        assert env['PONTOON_INITIAL_CLUSTER'] == want, env['PONTOON_INITIAL_CLUSTER']
        assert env['PONTOON_NAME'] == name
        own = dict(entry.split('=') for entry in want.split(','))[name]
        assert env['PONTOON_INITIAL_ADVERTISE_PEER_URLS'] == own


def clients_are_told_names_of_pods(m):
    service = m.members['metadata']['name']
    for name in m.names:
        assert m.env(name)['PONTOON_ADVERTISE_CLIENT_URLS'] == f'http://{name}.{service}:2379'


def every_variable_is_a_setting(m):
    flags = set(re.findall(r'^    \{"([a-z-]+)"', SETTINGS.read_text(), re.MULTILINE))
    assert 'election-timeout' in flags
    for name in m.env('pontoon-0'):
        assert name.startswith('PONTOON_'), name
        assert name[len('PONTOON_'):].lower().replace('_', '-') in flags, name
    # Those of the services would look like settings.
    assert m.pod['enableServiceLinks'] is False


def data_are_on_the_volume(m):
    (claim,) = m.set['spec']['volumeClaimTemplates']
    (mount,) = m.container['volumeMounts']
    assert mount['name'] == claim['metadata']['name']
    assert m.env('pontoon-0')['PONTOON_DATA_DIR'].startswith(mount['mountPath'] + '/')
    assert f'VOLUME {mount["mountPath"]}\n' in DOCKERFILE.read_text()


def user_is_that_of_the_image(m):
    context = m.pod['securityContext']
    user = f'USER {context["runAsUser"]}:{context["runAsGroup"]}\n'
    assert user in DOCKERFILE.read_text(), user
    assert context['fsGroup'] == context['runAsGroup']
    assert context['runAsNonRoot'] is True


def container_is_confined(m):
    context = m.container['securityContext']
    assert context['allowPrivilegeEscalation'] is False
    assert context['readOnlyRootFilesystem'] is True
    assert context['capabilities'] == {'drop': ['ALL']}
    assert m.pod['securityContext']['seccompProfile'] == {'type': 'RuntimeDefault'}
    assert m.pod['automountServiceAccountToken'] is False


def probes_ask_what_they_should(m):
    for probe in ('startupProbe', 'livenessProbe'):
        # Not about a quorum: a restart does not bring one back.
        assert m.container[probe]['httpGet'] == {'path': '/livez', 'port': 'metrics'}, probe
    ready = m.container['readinessProbe']
    assert ready['httpGet'] == {'path': '/readyz', 'port': 'metrics'}, ready
    # It waits for a quorum for two election timeouts, and for the replica for four.
    assert ready['timeoutSeconds'] > 4, 'it should say what is wrong before it is ended'


def quorum_survives_a_disruption(m):
    budget = m.one('PodDisruptionBudget', 'pontoon')['spec']['maxUnavailable']
    replicas = m.set['spec']['replicas']
    assert replicas % 2 == 1 and replicas - budget > replicas // 2


def image_has_the_version(m):
    version = re.search(r'kPontoonVersion\[\] = "(.*)"', VERSION.read_text())[1]
    assert m.container['image'] == f'pontoon:{version}', (m.container['image'], version)


CHECKS = (
    objects_are_those_that_are_meant, selectors_find_the_pods,
    services_lead_to_ports_of_the_container, members_have_names_before_they_are_ready,
    server_listens_on_the_ports_of_the_container, initial_cluster_lists_every_pod,
    clients_are_told_names_of_pods, every_variable_is_a_setting, data_are_on_the_volume,
    user_is_that_of_the_image, container_is_confined, probes_ask_what_they_should,
    quorum_survives_a_disruption, image_has_the_version,
)


def main():
    passed = failed = 0
    try:
        manifest = Manifest(MANIFEST.read_text())
    except (yaml.YAMLError, KeyError, ValueError) as error:
        print(f'FAILED: kubernetes: {MANIFEST} cannot be read: {error!r}')
        print('0 passed, 1 failed')
        return 1
    for check in CHECKS:
        name = check.__name__.replace('_', ' ')
        print(f'== kubernetes: {name}')
        try:
            check(manifest)
            passed += 1
        except (AssertionError, KeyError, ValueError, TypeError, IndexError) as error:
            failed += 1
            print(f'FAILED: kubernetes: {name}: {error!r}')
    print(f'{passed} passed, {failed} failed')
    return 0 if failed == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
