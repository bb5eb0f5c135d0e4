# SPDX-License-Identifier: Apache-2.0
"""A proxy that leads every name to one port of this machine, and remembers what it was asked for."""

import base64
import socket
import threading


class Proxy:
    """kind is "http" (CONNECT), "https" (the same inside TLS), "socks5" (RFC 1928) or "refuses [CODE]"."""

    def __init__(self, kind, port, tls):
        self.kind, self.port, self.tls = kind, port, tls
        self.targets, self.credentials = set(), set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        scheme = "http" if self.kind.startswith("refuses") else self.kind
        return f"{scheme}://user:pass-word@localhost:{self.own_port}"

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.kind == "https":
                client = self.tls.wrap_socket(client, server_side=True)
            if self.kind == "socks5":
                self.greet_socks(client)
            elif not self.greet_http(client):
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=pump, args=(server, client), daemon=True).start()
            pump(client, server)
        except OSError:
            pass
        finally:
            client.close()

    def greet_http(self, client):
        stream = client.makefile("rb", buffering=0)
        target = stream.readline().decode().split(" ")[1]
        self.targets.add(target.removeprefix("http://").partition("/")[0])
        while (line := stream.readline().strip()):
            name, _, value = line.decode().partition(": ")
            if name.lower() == "proxy-authorization":
                self.credentials.add(base64.b64decode(value.split(" ")[1]).decode())
        is_allowed = not self.kind.startswith("refuses")
        code = "200" if is_allowed else self.kind.partition(" ")[2] or "403"
        client.sendall(f"HTTP/1.1 {code} X\r\n\r\n".encode())
        return is_allowed

    def greet_socks(self, client):
        stream = client.makefile("rb", buffering=0)
        _, n = stream.read(2)
        methods = stream.read(n)
        if 2 not in methods:
            raise OSError("the client sends no name")
        client.sendall(b"\5\2")
        stream.read(1)
        user = stream.read(stream.read(1)[0]).decode()
        word = stream.read(stream.read(1)[0]).decode()
        self.credentials.add(f"{user}:{word}")
        client.sendall(b"\1\0")
        kind = stream.read(4)[3]
        host = stream.read(stream.read(1)[0]).decode() if kind == 3 else "an address"
        self.targets.add(f"{host}:{int.from_bytes(stream.read(2), 'big')}")
        client.sendall(b"\5\0\0\1\0\0\0\0\0\0")

    def problems(self):
        if self.targets != {f"kube.test:{self.port}"}:
            yield f"the proxy was asked for {self.targets}"
        if self.credentials != {"user:pass-word"}:
            yield f"the proxy was told {self.credentials}"


def pump(source, sink):
    try:
        while (data := source.recv(65536)):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for s in source, sink:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
