# Ganvas in a container, for CPUs or NVIDIA GPUs:
#
#   docker build -t ganvas .
#   docker build -t ganvas:cuda --build-arg TORCH=cu126 .
#   docker run --rm -v "$PWD:/work" ganvas train auto --data ./faces
#   docker run --rm --gpus all -v "$PWD:/work" ganvas:cuda train auto --data ./faces
#   docker run --rm --network host -v "$PWD:/work" ganvas studio --no-open
#
# Files that it writes belong to user 1000; another one: --user "$(id -u):$(id -g)".

FROM python:3.12-slim

# Which build of PyTorch: cpu (200 MB), or cu126, cu128, ... as https://pytorch.org lists them.
ARG TORCH=cpu

# Its own environment, so that PyTorch comes from its own index and all else from PyPI. First and
# alone: it is large, and stays as it is when Ganvas changes.
RUN python -m venv /opt/ganvas \
    && /opt/ganvas/bin/pip install --no-cache-dir --index-url "https://download.pytorch.org/whl/${TORCH}" \
       "torch>=2.9,<2.14"

COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
RUN /opt/ganvas/bin/pip install --no-cache-dir "/source[jpeg,heic,video,parquet,tensorboard]" \
    && rm -rf /source

# Nobody needs to be root in it. The home and the cache may be written by any user of --user.
RUN useradd --uid 1000 --create-home ganvas \
    && mkdir -p /work /cache \
    && chown ganvas /work /cache \
    && chmod 1777 /cache
ENV PATH="/opt/ganvas/bin:${PATH}" \
    GANVAS_CACHE=/cache \
    MPLCONFIGDIR=/cache/matplotlib \
    PYTHONUNBUFFERED=1
USER ganvas
WORKDIR /work
VOLUME /cache

ENTRYPOINT ["ganvas"]
CMD ["--help"]
