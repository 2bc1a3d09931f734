"""What a script does when it is told to end."""

import signal


def end_on_signals():
    """Has SIGTERM and SIGHUP do what Ctrl-C does, so that everything is cleaned up; what comes after
    the first signal does not disturb that."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(*_):
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)
