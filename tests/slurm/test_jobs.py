"""Failing jobs, GPUs and the environment under the SLURM profile: a tiny workflow on a real SLURM."""

import time
from pathlib import Path

import pytest
from slurm.cluster import Cluster
from slurm.heads import FAST, PROFILE, SEEN, Site, tiny, tried
from small_disk import small_disk

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Site:
    """Return a site on which every job of the tiny workflow failed once and ran again."""
    site = tiny(tmp_path_factory.mktemp("tiny"), cluster)
    site.start().succeed()
    return site


def test_failed_job_is_submitted_again_with_more_resources(finished: Site) -> None:
    assert tried(finished, "fails") == ["1", "2"]
    assert tried(finished, "exceeds_memory") == ["450", "900"]
    assert tried(finished, "exceeds_time") == ["1", "5"]
    jobs = [job for job in finished.cluster.jobs() if job["folder"] == str(finished.folder)]
    asked = {job["memory"] for job in jobs if job["comment"] == "rule_exceeds_memory"}
    limits = [job["limit"] for job in jobs if job["comment"] == "rule_exceeds_time"]
    states = {job["comment"]: job["state"] for job in reversed(jobs)}
    assert asked == {"450M", "900M"}
    assert limits == ["1:00", "5:00"]
    assert states["rule_exceeds_time"] == "TIMEOUT"
    assert states["rule_exceeds_memory"] in ("OUT_OF_MEMORY", "FAILED", "CANCELLED")
    assert states["rule_fails"] == "FAILED"


def test_only_gpu_rules_run_on_the_gpu_partition(finished: Site) -> None:
    partition, devices = (finished.folder / "out/takes_gpu").read_text().split()
    assert (partition, devices) in {("gpu", "0"), ("gpu", "1")}
    assert (finished.folder / "out/takes_none").read_text().split()[:2] == ["cpu", "none"]
    for job in finished.cluster.jobs("--partition=cpu,gpu"):
        assert (job["partition"] == "gpu") == (job["comment"] == "rule_takes_gpu")


def test_job_sees_the_environment_of_the_main_process(finished: Site) -> None:
    seen = (finished.folder / "out/takes_none").read_text().split()[2:]
    assert seen == [*SEEN.values(), str(finished.witness / "bin/python")]


def test_a_key_is_on_no_command_line_and_in_no_log(finished: Site) -> None:
    for path in finished.folder.rglob("*"):
        if path.is_file() and path != finished.folder / "out/takes_none":
            assert SEEN["TOY_KEY"].encode() not in path.read_bytes(), path


def cancelled_once(site: Site) -> None:
    """Cancel a running job and let its second attempt finish."""
    head = site.start("--", "out/is_cancelled")
    attempts = site.folder / "tried/is_cancelled"
    head.until(attempts.exists)
    (first,) = tried(site, "is_cancelled")
    site.cluster.ask("scancel", first)
    head.until(lambda: len(tried(site, "is_cancelled")) == 2)
    (site.folder / "go").touch()
    head.succeed(300)
    second = tried(site, "is_cancelled")[1]
    states = {job["id"]: job["state"] for job in site.cluster.jobs()}
    assert states[first] == "CANCELLED"
    assert states[second] in ("COMPLETED", "COMPLETING")


def test_a_cancelled_job_is_noticed_and_submitted_again(tmp_path: Path, cluster: Cluster) -> None:
    cancelled_once(tiny(tmp_path, cluster))


def test_cancelled_job_is_noticed_with_accounting(tmp_path: Path, accounting: Cluster) -> None:
    site = tiny(tmp_path, accounting)
    cancelled_once(site)
    assert "CANCELLED by" in accounting.ask("sacct", "-X", "--noheader", "--format=State%30")


def test_gpus_by_gres_through_a_second_profile(tmp_path: Path, cluster: Cluster) -> None:
    """As in config/profiles/slurm-gres: an expression over the inputs selects the rules that may need no GPU."""
    site = tiny(tmp_path, cluster)
    (tmp_path / "gres").mkdir()
    resources = "{gpu: 0, gres: \"'gpu:1' if input.model else ''\"}"
    (tmp_path / "gres/config.yaml").write_text(f"set-resources:\n  takes_gpu: {resources}\n  takes_none: {resources}\n")
    site.start("--workflow-profile", "gres", "--", "out/takes_gpu", "out/takes_none").succeed(300)
    partition, devices = (tmp_path / "out/takes_gpu").read_text().split()
    assert (partition, devices) in {("gpu", "0"), ("gpu", "1")}
    assert (tmp_path / "out/takes_none").read_text().split()[:2] == ["cpu", "none"]
    asked = {job["comment"]: job["gres"] for job in cluster.jobs() if job["folder"] == str(tmp_path)}
    assert asked == {"rule_takes_gpu": "gres:gpu:1", "rule_takes_none": "N/A"}


def test_an_unknown_partition_is_one_line(tmp_path: Path, cluster: Cluster) -> None:
    site = tiny(tmp_path, cluster)
    partitions = tmp_path / "partitions.yaml"
    partitions.write_text("partitions: {nowhere: {}}\n")
    head = site.start(
        "out/takes_none", "--retries", "0", profile=(*PROFILE, *FAST, "--slurm-partition-config", str(partitions))
    )
    assert head.wait(120)
    assert head.said.count("invalid partition specified: nowhere") == 1, head.said


def test_gpus_that_no_partition_has_are_refused_by_slurm(tmp_path: Path, cluster: Cluster) -> None:
    head = tiny(tmp_path, cluster).start("out/asks_too_much", "--retries", "0")
    assert head.wait(120)
    assert "No suitable partition found for job asks_too_much" in head.said
    assert "Falling back to default behavior" in head.said
    assert "-p cpu " in head.said, "the cluster's default partition"
    assert "sbatch: error: Batch job submission failed: Requested node configuration is not available" in head.said


def test_memory_that_no_node_has_is_refused_by_slurm(tmp_path: Path, cluster: Cluster) -> None:
    options = ("--retries", "0", "--set-resources", "takes_none:mem_mb=200000")
    head = tiny(tmp_path, cluster).start("out/takes_none", *options)
    assert head.wait(120)
    assert "sbatch: error: Memory specification can not be satisfied" in head.said
    assert "sbatch: error: Batch job submission failed: Requested node configuration is not available" in head.said


def test_command_of_the_page_shows_why_jobs_wait(cluster: Cluster, root: Path) -> None:
    """As in docs/cluster.md: GPUs in use, and more CPUs than any node has, which waits forever."""
    assert '`squeue --me -o "%i %P %T %r %k"`' in (root / "docs/cluster.md").read_text()
    submit = ("sbatch", "--parsable", "--output=/dev/null", "--wrap", "sleep 60")
    asked = (("-p", "gpu", "--gpus=2"), ("-p", "gpu", "--gpus=1", "--comment=rule_x"), ("-p", "cpu", "-c", "99"))
    jobs = [cluster.ask(*submit, *options).strip() for options in asked]
    expected = {f"{jobs[1]} gpu PENDING Resources rule_x", f"{jobs[2]} cpu PENDING PartitionConfig (null)"}
    said: set[str] = set()
    try:
        for _ in range(30):
            said = set(cluster.ask("squeue", "--me", "-o", "%i %P %T %r %k").splitlines())
            if expected <= said:
                break
            time.sleep(1)
    finally:
        cluster.ask("scancel", *jobs)
    assert expected <= said


def test_full_disk_is_one_line_and_other_jobs_continue(tmp_path: Path, cluster: Cluster) -> None:
    site = tiny(tmp_path, cluster)
    with small_disk(tmp_path / "disk", 64) as disk:
        first = ("--jobs", "1", "--retries", "0", "--prioritize", "disk/out/much.json")
        head = site.start(*first, "--", "disk/out/much.json", "out/takes_none")
        assert head.wait(180)
        line = "error: disk/out/much.json: No space left on device; check free space and permissions"
        assert line in (disk / "logs/fills_disk.log").read_text().splitlines()
        assert line in head.said, "the head shows the log"
        assert [path.name for path in disk.rglob("*") if path.is_file()] == ["fills_disk.log"]
        assert (tmp_path / "out/takes_none").exists()
    states = [(job["comment"], job["state"]) for job in cluster.jobs() if job["folder"] == str(tmp_path)]
    assert states == [("rule_fills_disk", "FAILED"), ("rule_takes_none", "COMPLETED")]
