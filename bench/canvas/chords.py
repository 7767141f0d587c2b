"""Sends chords of no-op tasks, one after the other, and prints the seconds of each: chords.py MEMBERS ROUNDS"""
import sys
import time

from celery import chord
from tasks import noop, total

members, rounds = int(sys.argv[1]), int(sys.argv[2])
# The first one connects, and warms the worker up.
for at in range(rounds + 1):
    began = time.perf_counter()
    given = chord([noop.s(n) for n in range(members)])(total.s()).get(timeout=300)
    seconds = time.perf_counter() - began
    if given != members:
        raise SystemExit(f'the body was given {given} values')
    if at > 0:
        print(seconds, flush=True)
