"""Inside the tests only this machine can be reached, in child processes too."""

import errno
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

AWAY = ("192.0.2.1", 80)


def test_connections_away_fail_at_once():
    with socket.socket() as sock:
        with pytest.raises(OSError, match="the network is off"):
            sock.connect(AWAY)
        assert sock.connect_ex(AWAY) == errno.ENETUNREACH


def test_lookups_away_fail_as_without_a_network():
    with pytest.raises(socket.gaierror, match="the network is off"):
        socket.getaddrinfo("example.org", 80)
    with pytest.raises(urllib.error.URLError, match="the network is off"):
        urllib.request.urlopen("http://example.org/", timeout=5)


def test_this_machine_can_be_reached():
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname(), timeout=5) as client:
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"


def test_child_processes_are_offline_too():
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "the network is off" in done.stderr


def test_threads_are_offline_too():
    caught: list[OSError] = []

    def attempt() -> None:
        try:
            socket.create_connection(AWAY, timeout=5)
        except OSError as error:
            caught.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert "the network is off" in str(caught[0])
