# syntax=docker/dockerfile:1
# One image for head, workers and submitters, in two builds:
#   docker build --build-arg BUILD=cpu  -t dlcot-ray:0.1.0-cpu .
#   docker build --build-arg BUILD=cuda -t dlcot-ray:0.1.0-cuda .
# The CUDA build brings its libraries as Python packages; the node supplies the driver. So both start from one
# plain Python image. The installation is scripts/install.sh, which every test run uses as well.
ARG PYTHON=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

# hadolint ignore=DL3006
FROM ${PYTHON} AS build
ARG BUILD=cpu
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1
WORKDIR /opt/dlcot
COPY requirements.lock requirements.hashes.lock requirements-cuda.hashes.lock ./
COPY scripts/install.sh scripts/
RUN python -m venv /opt/venv && sh scripts/install.sh "$BUILD"
COPY pyproject.toml README.md LICENSE ./
COPY conf conf
COPY dlcot_ray dlcot_ray
RUN python -m pip install --no-deps --editable .

# hadolint ignore=DL3006
FROM ${PYTHON} AS runtime
# g++: what Triton and torch compile kernels with at run time. wget: what KubeRay asks a submitter to wait with.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ wget \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 dlcot \
    && useradd --uid 1000 --gid 1000 --create-home dlcot
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/dlcot /opt/dlcot
COPY jobs /opt/dlcot/jobs
COPY k8s/start_refresh.py k8s/load_samples.py /opt/dlcot/k8s/
COPY scripts/get_model.py /opt/dlcot/scripts/
COPY examples/shards /opt/dlcot/examples/shards
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 VLLM_NO_USAGE_STATS=1
WORKDIR /opt/dlcot
USER 1000:1000
# KubeRay puts `ray start` here; by itself the image is the command.
CMD ["dlcot", "--help"]
