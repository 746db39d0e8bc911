# syntax=docker/dockerfile:1
# Newton Lab in a container: `docker compose up`, then http://localhost:8000. See docs/deploying.md.
# TORCH_INDEX is where pip looks for torch too: a version with "+cpu" goes before one without. Empty
# means its usual place alone (on Linux, with CUDA).
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# EXTRAS are extras of the package, separated by commas: ray for a cluster.
ARG EXTRAS=
ARG PYTHON_TAG=3.11-slim-bookworm
ARG NODE_TAG=22-bookworm-slim

# hadolint global ignore=DL3059
# (RUN lines of one stage stand apart where one changes seldom and the next one often.)

# The lab and all it needs, in a virtual environment that has no pip of its own.
FROM python:${PYTHON_TAG} AS lab
ARG TORCH_INDEX
ARG EXTRAS
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/lab
COPY constraints.txt ./
RUN python -m pip --python /opt/lab/bin/python install -c constraints.txt \
    ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY newton_core newton_core
COPY app app
COPY docs/results docs/results
RUN python -m pip --python /opt/lab/bin/python install -c constraints.txt -e ".${EXTRAS:+[$EXTRAS]}"
RUN /opt/lab/bin/python -m app.openapi > openapi.json

# The page, whose types come from the interface that the lab has just described.
FROM node:${NODE_TAG} AS page
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
COPY --from=lab /src/openapi.json /src/openapi.json
RUN OPENAPI=/src/openapi.json npm run types && npm run build

# The wheel, page included, takes the place of the editable install.
FROM lab AS installed
COPY --from=page /src/frontend/dist frontend/dist
RUN python -m pip --python /opt/lab/bin/python install --no-deps --force-reinstall .

FROM python:${PYTHON_TAG}
ARG LAB_UID=1000
LABEL org.opencontainers.image.title="Newton Lab" \
    org.opencontainers.image.description="Train with vanilla and Newton losses side by side, and watch what curvature does." \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="MIT"
# The base's own pip goes as well: nothing in a running lab can install anything.
RUN useradd --uid "$LAB_UID" --no-create-home --home-dir /data --shell /usr/sbin/nologin lab \
    && install -d -o lab -g lab /data \
    && python -m pip uninstall --yes --root-user-action=ignore pip setuptools wheel \
    && rm -rf /usr/local/lib/python3.*/ensurepip
COPY --from=installed /opt/lab /opt/lab
# The kernels' machine code, for processors of the builder's kind. numba tells by a source file's time
# whether it is current, and an image keeps whole seconds of that.
RUN find /opt/lab -name "*kernels.py" -exec touch --date="@$(date +%s)" {} + \
    && NUMBA_CACHE_DIR=/opt/lab/share/newton-lab/kernels PYTHONDONTWRITEBYTECODE=1 \
    /opt/lab/bin/python -m newton_core.algorithms.precompile
# All that a lab writes lies below /data and /tmp, so the rest may be read-only.
ENV PATH=/opt/lab/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NEWTON_LAB_HOST=0.0.0.0 NEWTON_LAB_PORT=8000 NEWTON_LAB_DATA_DIR=/data \
    NUMBA_CACHE_DIR=/data/cache/numba XDG_CACHE_HOME=/data/cache HOME=/data
USER ${LAB_UID}
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/api/health', timeout=4)"]
CMD ["newton-lab", "serve"]
