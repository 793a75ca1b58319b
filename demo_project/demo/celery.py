"""The Celery app of the demo, for a worker beside it.

HOTPATH_DEMO_REDIS=redis://localhost:6379/0 celery --app demo.celery worker
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")

app = Celery("demo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["examples.families"], related_name="background")
