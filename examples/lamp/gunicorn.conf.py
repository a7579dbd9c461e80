"""Gunicorn's settings; the number of workers is WEB_CONCURRENCY, the address comes from the Procfile."""

import signal

worker_class = "gthread"
threads = 64  # an open page holds one for its event stream
keepalive = 95  # longer than the 90 seconds that Heroku's router keeps a connection idle
graceful_timeout = 20
control_socket_disable = True


def post_worker_init(worker):
    """On SIGTERM end the event streams first: requests under way may finish, endless ones may not hold the stop up."""
    from live import stopping

    finish = signal.getsignal(signal.SIGTERM)

    def stop(number, frame):
        stopping.set()
        finish(number, frame)

    signal.signal(signal.SIGTERM, stop)
