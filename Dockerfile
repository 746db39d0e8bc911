# syntax=docker/dockerfile:1
# Newton Lab in a container: `docker compose up`, then http://localhost:8000.
# TORCH_INDEX is where pip looks for torch; empty means its usual place (on Linux, with CUDA).
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG PYTHON_VERSION=3.11
ARG NODE_VERSION=22

# The lab and all it needs, in a virtual environment that has no pip of its own.
FROM python:${PYTHON_VERSION}-slim AS lab
ARG TORCH_INDEX
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv --without-pip /opt/lab
COPY constraints.txt ./
RUN pip --python /opt/lab/bin/python install -c constraints.txt \
    ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY newton_core newton_core
COPY app app
COPY docs/results docs/results
RUN pip --python /opt/lab/bin/python install -c constraints.txt -e .
RUN /opt/lab/bin/python -m app.openapi > openapi.json

# The page, whose types come from the interface that the lab has just described.
FROM node:${NODE_VERSION}-slim AS page
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
COPY --from=lab /src/openapi.json /src/openapi.json
RUN OPENAPI=/src/openapi.json npm run types && npm run build

# The wheel, page included, takes the place of the editable install.
FROM lab AS installed
COPY --from=page /src/frontend/dist frontend/dist
RUN pip --python /opt/lab/bin/python install --no-deps --force-reinstall .

FROM python:${PYTHON_VERSION}-slim
RUN useradd --uid 1000 --create-home lab && install -d -o lab -g lab /data
COPY --from=installed /opt/lab /opt/lab
ENV PATH=/opt/lab/bin:$PATH PYTHONUNBUFFERED=1 \
    NEWTON_LAB_HOST=0.0.0.0 NEWTON_LAB_PORT=8000 NEWTON_LAB_DATA_DIR=/data \
    NUMBA_CACHE_DIR=/data/cache/numba
USER lab
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/api/health', timeout=4)"]
CMD ["newton-lab", "serve"]
