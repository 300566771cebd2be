#!/usr/bin/python3
"""A REP service that greets, secured with PLAIN (it is the server and binds) or CURVE (it is the client and connects to Gateway)."""
import argparse

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator


def plain(socket: zmq.Socket, arguments: argparse.Namespace) -> None:
    with open(arguments.password) as file:
        passwords = {"gateway": file.readline().rstrip("\n")}
    authenticator = ThreadAuthenticator(socket.context)
    authenticator.start()
    authenticator.configure_plain(domain="*", passwords=passwords)
    socket.plain_server = True
    socket.bind(arguments.endpoint or "tcp://127.0.0.1:5555")
    # It stops when nobody holds it.
    arguments.authenticator = authenticator


def curve(socket: zmq.Socket, arguments: argparse.Namespace) -> None:
    socket.curve_serverkey, _ = zmq.auth.load_certificate(arguments.server)
    socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(arguments.own)
    socket.connect(arguments.endpoint or "tcp://127.0.0.1:5556")


def main() -> None:
    parser = argparse.ArgumentParser(description="Greets whoever may come in.")
    parser.add_argument("mechanism", choices=["plain", "curve"])
    parser.add_argument("--endpoint", help="where to bind (plain) or connect (curve)")
    parser.add_argument("--password", default="keys/password", help="plain: a file with Gateway's password (default: %(default)s)")
    parser.add_argument("--own", default="keys/vault.key_secret", help="curve: our certificate (default: %(default)s)")
    parser.add_argument("--server", default="keys/gateway.key", help="curve: Gateway's public certificate (default: %(default)s)")
    arguments = parser.parse_args()

    socket = zmq.Context.instance().socket(zmq.REP)
    {"plain": plain, "curve": curve}[arguments.mechanism](socket, arguments)
    print("ready", arguments.mechanism, flush=True)
    while True:
        name = socket.recv_multipart()[-1].decode(errors="replace")
        socket.send(f"{arguments.mechanism} says hello to {name}".encode())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
