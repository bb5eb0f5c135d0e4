# SPDX-License-Identifier: Apache-2.0
"""Ports for servers that tests start, end and start again.

Not those that the kernel gives out: they belong to connections, too. A client that asks again and again
for a server that is away comes to use the port as its own, even to connect to itself there, and then
the server cannot have it back.
"""

import pathlib
import random
import socket

RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
N_PORTS = 12000


def free_ports(n):
    """Of 127.0.0.1, all different, below those of connections."""
    end = max(int(RANGE.read_text().split()[0]), 1024 + N_PORTS)
    sockets = []
    for port in random.sample(range(end - N_PORTS, end), N_PORTS):
        if len(sockets) == n:
            break
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            sockets.append(s)
        except OSError:
            s.close()
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    assert len(ports) == n, f"{n} free ports are not to be had"
    return ports
