"""Settings of every run: environment variables of jobs, limits, the image, and checks before the first job.

Three parts of Snakemake 9.27 are replaced. It compares an input by its content only if it is a file of at most 1 MB. It
compares folders and larger files by time, so a copy of a finished project, with new times, would train all rankers again.
Here all local inputs are compared by content. Second, it quotes the commands of cluster jobs with repr() and does not
quote the path of Python. Here a shell reads each path unchanged. Third, it reads braces in the path of an environment file
as wildcards. Here they are a part of the path.
"""

import os
import shlex
import sys

from snakemake.cli import get_profile_dir
from snakemake.deployment.conda import CondaEnvFileSpec
from snakemake.io import _IOFile
from snakemake_interface_executor_plugins import utils
from snakemake_interface_executor_plugins.executors.real import RealExecutor

from synthrank.errors import SynthrankError
from synthrank.runtime.content_hash import ContentHashes
from synthrank.workflow.command_line import exports
from synthrank.workflow.cores import runs_on_cluster

# PYTHONPATH makes src importable in every environment without an installation. PYTHONNOUSERSITE hides the packages in
# the user's home, which would precede the packages of a conda environment. The budget is an environment variable and not
# a param, so a new budget does not rerun finished jobs.
BUDGET = "" if study.experiment.budget_usd is None else study.experiment.budget_usd
variables = exports(PYTHONPATH=SRC, PYTHONNOUSERSITE=1, SCRIPTS=ROOT / "scripts", SYNTHRANK_BUDGET_USD=BUDGET)
shell.prefix(f"set -euo pipefail; {variables}; ")
# Only one job at a time sends requests to a provider, on all nodes together, so that an LLM's limits hold for the workflow.
workflow.global_resources.setdefault("api", 1)
# profiles/default allows all cores of this machine. This number must not limit the jobs of a cluster.
if runs_on_cluster(sys.argv[1:], os.environ.get("SNAKEMAKE_PROFILE", ""), get_profile_dir):
    workflow.resource_settings.cores = workflow.global_resources["_cores"] = None


contents = ContentHashes()


def hash_all(snakemake_eligible, snakemake_checksum):
    """Return Snakemake's methods for files in remote storage, extended to local folders and large files."""

    async def is_checksum_eligible(self, threshold):
        if self.is_storage:
            return await snakemake_eligible(self, threshold)
        return await self.exists_local() and not self.is_fifo()

    async def checksum(self, threshold=None, force=False, algorithm=None):
        if self.is_storage or not await is_checksum_eligible(self, threshold):
            return await snakemake_checksum(self, threshold, force, algorithm)
        return f"sha256:{contents.of(Path(self.file))}"

    return is_checksum_eligible, checksum


def quote(snakemake_format):
    """Return Snakemake's function for the value of an option of a job's command, with the quotes of a shell."""

    def format_cli_value(value, quote=False, base64_encode=False):
        if isinstance(value, str) and quote and not base64_encode:
            return shlex.quote(value)
        return snakemake_format(value, quote, base64_encode)

    return format_cli_value


def quote_python(executor):
    """Quote the path of Python in the commands of an executor."""
    snakemake_executable = executor.get_python_executable

    def get_python_executable(self):
        return shlex.quote(snakemake_executable(self))

    executor.get_python_executable = get_python_executable


def keep_braces(snakemake_apply):
    """Return Snakemake's method for the environments of other projects; these have no wildcards in their paths."""

    def apply_wildcards(self, wildcards):
        is_ours = self.file.get_path_or_uri(secret_free=True).startswith(f"{ROOT}{os.sep}")
        return self if is_ours else snakemake_apply(self, wildcards)

    return apply_wildcards


def executors(kind=RealExecutor):
    """Yield all classes of executors."""
    for found in kind.__subclasses__():
        yield found
        yield from executors(found)


# A workflow that uses this one as a module under two names includes this file twice.
if not hasattr(_IOFile, "compares_all_contents"):
    _IOFile.compares_all_contents = True
    _IOFile.is_checksum_eligible, _IOFile.checksum = hash_all(_IOFile.is_checksum_eligible, _IOFile.checksum)
    utils.format_cli_value = quote(utils.format_cli_value)
    CondaEnvFileSpec.apply_wildcards = keep_braces(CondaEnvFileSpec.apply_wildcards)
    for executor in executors():
        if "get_python_executable" in vars(executor):
            quote_python(executor)


# `--sdm apptainer` runs every job in the image that Dockerfile describes. Otherwise the image is not used.
container: "synthrank.sif"


onstart:
    # Not before: dry runs need no key, and importing the store takes 70 ms.
    from synthrank.workflow.api_keys import check_keys

    asking = (job.wildcards for job in workflow.dag.needrun_jobs() if "api" in job.rule.resources)
    try:
        check_keys(map(inputs.llms.name_of, asking), study.entities["llms"])
    except SynthrankError as error:
        raise WorkflowError(str(error)) from None
    # With the default limit, each finished job leaves a timer that keeps checking all ready jobs and uses half a core.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
