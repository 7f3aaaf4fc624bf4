# One image for the jobs of all stages, for Apptainer or Docker: docs/environments.md says how. Untested: it was written
# where no container could be built.
#
# The extras of all stages fit into one environment, as in `make`'s; one for each stage would hold torch eight times.
# The project's own code is not part of it: a job imports that of the folder it runs in.
FROM python:3.11-slim

# Where pip looks for torch decides which build it finds, for CPUs or for a version of CUDA.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# Some packages are published as source alone.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*

# torch first and pinned, pyserini for Anserini's jar alone: as in the Makefile.
RUN pip install torch==2.13.0
WORKDIR /opt/synthrank
COPY pyproject.toml README.md LICENSE ./
COPY src/synthrank/__init__.py src/synthrank/
RUN pip install '.[workflow,corpora,models,passages,queries,runs,rankings,trainsets,validity,checkpoints,metrics,tables,figures,releases,report]' \
    && pip install --no-deps pyserini==1.6.0 \
    && pip uninstall --yes synthrank
