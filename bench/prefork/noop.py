import os

from celery import Celery

app = Celery('noop', broker=os.environ['BENCH_REDIS_URL'])
app.conf.update(task_ignore_result=True)


@app.task(name='noop')
def noop(mail):
    pass
