import os

from celery import Celery

url = os.environ['BENCH_REDIS_URL']
app = Celery('tasks', broker=url, backend=url)


@app.task(name='noop')
def noop(number):
    return number


@app.task(name='total')
def total(values):
    return len(values)
