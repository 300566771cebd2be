#!/usr/bin/python3
"""A PUB service with prices that walk at random. A message has two frames: the symbol as topic, and a JSON text."""
import argparse
import json
import random
import time

import zmq

START = {"EURUSD": 1.08, "EURGBP": 0.86, "GBPUSD": 1.26, "USDJPY": 151.2}


def main() -> None:
    parser = argparse.ArgumentParser(description="Publishes random prices.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--bind", default="tcp://127.0.0.1:5556", help="endpoint to bind (default: %(default)s)")
    where.add_argument("--connect", help="endpoint to connect to instead")
    parser.add_argument("--interval", type=float, default=0.25, help="seconds between rounds of prices (default: %(default)s)")
    arguments = parser.parse_args()

    socket = zmq.Context.instance().socket(zmq.PUB)
    if arguments.connect:
        socket.connect(arguments.connect)
    else:
        socket.bind(arguments.bind)
    print("ready", socket.getsockopt_string(zmq.LAST_ENDPOINT), flush=True)

    prices = dict(START)
    while True:
        for symbol in prices:
            prices[symbol] *= 1 + random.gauss(0, 0.0002)
            quote = {"symbol": symbol, "price": round(prices[symbol], 5), "time": round(time.time(), 3)}
            socket.send_multipart([symbol.encode(), json.dumps(quote).encode()])
        time.sleep(arguments.interval)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
