"""The WSGI entry point that gunicorn serves."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from portal.checks import require_mail

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()
require_mail()
# loaded before gunicorn forks, so that a worker which replaces a killed one answers at once
import_module(settings.ROOT_URLCONF)
