ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /srv/portal
COPY portal/requirements/production.txt portal/requirements/
RUN python -m venv --without-pip /opt/portal && \
    pip --python /opt/portal/bin/python install --require-hashes -r portal/requirements/production.txt
COPY . .
# compiled here, since nothing can be written later
RUN /opt/portal/bin/python manage.py collectstatic --noinput --verbosity 0 && \
    /opt/portal/bin/python -m compileall -q --invalidation-mode unchecked-hash integrations portal

FROM ${PYTHON_IMAGE}
RUN apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/* && \
    pip uninstall --yes pip && rm -rf /usr/local/lib/python3.*/ensurepip && \
    python -m compileall -q --invalidation-mode unchecked-hash /usr/local/lib/python3.* && \
    useradd --system --no-create-home --uid 10001 portal
COPY --from=build /opt/portal /opt/portal
COPY --from=build /srv/portal /srv/portal

ENV PATH=/opt/portal/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/portal
USER 10001
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "\
from urllib import request; request.urlopen('http://127.0.0.1:8000/healthz/ready', timeout=5)"]
# it passes TERM on and reaps what killed workers leave behind
ENTRYPOINT ["tini", "--"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
