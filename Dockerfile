# One image for web, worker and the one-off commands; docker-compose.yml says which is which.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/runtime.lock requirements/runtime.lock
RUN python -m venv /opt/balas && /opt/balas/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.lock
COPY . .
RUN /opt/balas/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/balas balas
COPY --from=build /opt/balas /opt/balas
ENV PATH=/opt/balas/bin:$PATH BALAS_HOME=/var/lib/balas PYTHONUNBUFFERED=1
USER balas
VOLUME /var/lib/balas
EXPOSE 8025
ENTRYPOINT ["balas"]
CMD ["web", "--host", "0.0.0.0"]
