import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")

# As runserver does: no other server stands before this one.
application = ASGIStaticFilesHandler(get_asgi_application())
