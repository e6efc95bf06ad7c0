"""The WSGI entry point, which the web server's threads run (asgi.py)."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from portal.checks import require_mail

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()
require_mail()
# loaded before the web server forks, so that a worker which replaces a killed one answers at once
import_module(settings.ROOT_URLCONF)
# what is loaded stays: to look through it for garbage would take each worker 70 ms at a time, and a copy of it
gc.collect()
gc.freeze()
