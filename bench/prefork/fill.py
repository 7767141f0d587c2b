"""Sends no-op tasks: fill.py COUNT"""
import sys

from noop import app, noop

MAIL = {'to': 'someone@example.com', 'subject': 'hello', 'id': 12345}
with app.producer_pool.acquire(block=True) as producer:
    for _ in range(int(sys.argv[1])):
        noop.apply_async((MAIL,), producer=producer)
