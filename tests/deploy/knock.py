"""Asks the server for its health from four threads while systemd restarts it twice; prints the answers."""

import collections
import json
import socket
import subprocess
import sys
import threading
import time

REQUEST = b"GET /health?probe=live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def knock(answers: collections.Counter[str], over: threading.Event) -> None:
    while not over.is_set():
        try:
            with socket.create_connection(("127.0.0.1", 5000), timeout=30) as client:
                client.sendall(REQUEST)
                answers[client.recv(12).decode()] += 1
        except OSError as error:
            answers[repr(error)] += 1
        time.sleep(0.01)


def main() -> None:
    answers: collections.Counter[str] = collections.Counter()
    over = threading.Event()
    threads = [threading.Thread(target=knock, args=(answers, over)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        subprocess.run(["systemctl", "restart", "market-data"], check=True)
    over.set()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
