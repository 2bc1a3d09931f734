"""Ports of the loopback interface for servers that a script starts."""

import contextlib
import socket

HOST = "127.0.0.1"
START_ATTEMPTS_MAX = 3


def free_ports(count):
    """Numbers that nobody listens on now. Somebody may by the time they are used: see start_on_free_ports."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def start_on_free_ports(service):
    """Has `service` start once, on ports that it asks free_ports for. Where that fails it is killed and tries
    again, as somebody may have taken a port meanwhile."""
    for attempt in range(1, START_ATTEMPTS_MAX + 1):
        try:
            service.start_once()
            return
        except AssertionError:
            service.kill()
            if attempt == START_ATTEMPTS_MAX:
                raise
