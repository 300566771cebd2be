#!/usr/bin/python3
"""IPython's Hub in small: it watches the monitor of a monitored queue and knows which tasks are in flight.

Clients and engines talk through the queue and know nothing of the Hub; it subscribes to what the queue shows:
    [in][client][][task][work]     a task goes to an engine
    [out][client][][task][result]  its result goes back
With --tasks N it also brings engines and a client of its own, so that there is something to see.
"""
import argparse
import itertools
import os
import threading
import time

import zmq


def engine(context, endpoint):
    """Answers each task [task][work] with [task][result]; start as many as you like, anywhere."""
    socket = context.socket(zmq.REP)
    socket.connect(endpoint)
    while True:
        task, work = socket.recv_multipart()
        time.sleep(0.01)
        socket.send_multipart([task, work.upper()])


def client(context, endpoint, tasks, watched):
    """Keeps a few tasks in flight. Until the Hub's subscription has arrived at the queue nobody would see them."""
    socket = context.socket(zmq.DEALER)
    socket.identity = b"client"
    socket.connect(endpoint)
    for probe in itertools.count():
        socket.send_multipart([b"", b"probe %d" % probe, b""])
        socket.recv_multipart()
        if watched.wait(0.05):
            break
    for task in range(tasks):
        socket.send_multipart([b"", b"task %d" % task, b"work"])
    for _ in range(tasks):
        socket.recv_multipart()


def hub(context, endpoint, tasks, watched):
    monitor = context.socket(zmq.SUB)
    monitor.subscribe(b"")
    monitor.connect(endpoint)
    print("watching", endpoint, flush=True)
    in_flight, done = {}, 0
    while not tasks or done < tasks:
        direction, who, _, task, *_ = monitor.recv_multipart()
        watched.set()
        if task.startswith(b"probe"):
            continue
        key = who, task
        if direction == b"in":
            in_flight[key] = time.monotonic()
            print(f"{who.decode(errors='replace')}: {task.decode()} is in flight, {len(in_flight)} in all", flush=True)
        elif key in in_flight:
            took, done = time.monotonic() - in_flight.pop(key), done + 1
            print(f"{who.decode(errors='replace')}: {task.decode()} is done in {took * 1000:.1f} ms, {len(in_flight)} in flight", flush=True)
    print(f"{done} tasks done, {len(in_flight)} in flight", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Watches a monitored queue and tracks its tasks.")
    parser.add_argument("--monitor", default="tcp://127.0.0.1:5557", help="the queue's monitor (default: %(default)s)")
    parser.add_argument("--frontend", default="tcp://127.0.0.1:5555", help="where clients connect (default: %(default)s)")
    parser.add_argument("--backend", default="tcp://127.0.0.1:5556", help="where engines connect (default: %(default)s)")
    parser.add_argument("--tasks", type=int, default=0, help="bring two engines and a client with so many tasks, then end (default: watch for ever)")
    arguments = parser.parse_args()

    context, watched = zmq.Context.instance(), threading.Event()
    if arguments.tasks:
        for _ in range(2):
            threading.Thread(target=engine, args=(context, arguments.backend), daemon=True).start()
        threading.Thread(target=client, args=(context, arguments.frontend, arguments.tasks, watched), daemon=True).start()
    hub(context, arguments.monitor, arguments.tasks, watched)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    # The threads are inside their sockets; the process ends without asking them.
    os._exit(0)
