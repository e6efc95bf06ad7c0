ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE}

ENV PYTHONUNBUFFERED=1
WORKDIR /srv/portal

COPY portal/requirements/production.txt portal/requirements/
RUN pip install --no-cache-dir --require-hashes -r portal/requirements/production.txt

COPY . .
RUN python manage.py collectstatic --noinput --verbosity 0 && useradd --system --no-create-home portal

USER portal
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "\
from urllib import request; request.urlopen('http://127.0.0.1:8000/healthz/ready', timeout=5)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
