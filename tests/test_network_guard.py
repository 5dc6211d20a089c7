"""The guard that all other tests rely on: no test reaches another machine."""

import socket

import pytest


@pytest.mark.parametrize("name", ["connect", "connect_ex"])
@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("192.0.2.1", 9)),
        (socket.AF_INET, ("example.org", 9)),
        (socket.AF_INET6, ("2001:db8::1", 9, 0, 0)),
    ],
)
def test_a_connection_to_another_machine_is_refused_and_noted(name, family, address, blocked_attempts):
    with socket.socket(family) as client, pytest.raises(RuntimeError, match="tried to reach"):
        getattr(client, name)(address)
    assert blocked_attempts == [address[0]]
    blocked_attempts.clear()


def test_a_datagram_to_another_machine_is_refused_and_noted(blocked_attempts):
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        pytest.raises(RuntimeError, match="tried to reach"),
    ):
        client.sendto(b"x", ("192.0.2.1", 9))
    assert blocked_attempts == ["192.0.2.1"]
    blocked_attempts.clear()


def test_the_name_of_another_machine_is_not_looked_up(blocked_attempts):
    with pytest.raises(RuntimeError, match="tried to reach"):
        socket.create_connection(("example.org", 80))
    assert blocked_attempts == ["example.org"]
    blocked_attempts.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1])) as client,
        server.accept()[0] as peer,
    ):
        client.sendall(b"x")
        assert peer.recv(1) == b"x"
