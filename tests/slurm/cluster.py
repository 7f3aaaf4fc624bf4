"""A one-node SLURM for tests in one folder, with its own configuration, ports, munge socket and processes.

Nothing under /etc is read or written. ``SLURM_CONF`` directs commands to this cluster, so that a real cluster on the
same machine is not touched. The node claims two GPUs, which are additional /dev/null devices; creating them needs root.
"""

import getpass
import os
import secrets
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

DAEMONS = ("slurmctld", "slurmd", "munged", "squeue", "sbatch")
COMMANDS = ("sacct", "sacctmgr", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MIN_JOB_AGE_S = 900
"""Seconds that finished jobs stay visible to squeue: longer than any test."""

CONFIGURATION = """\
ClusterName=toy
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge={age}
KillWait=2
ReturnToService=2
GresTypes=gpu
{accounting}
NodeName={host} NodeAddr=127.0.0.1 Port={node} CPUs={cpus} RealMemory=100000 Gres=gpu:a100:2 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE DefMemPerCPU=300 State=UP
PartitionName=gpu Nodes={host} Default=NO MaxTime=INFINITE DefMemPerCPU=300 State=UP
"""
WITH_DATABASE = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment"""
DATABASE = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={port}
SlurmUser={user}
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=toy
"""


def missing(programs: tuple[str, ...]) -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in programs if not shutil.which(name, path=PATH)]


class Cluster:
    """A cluster in ``folder``, whose path must be short: sockets allow 107 bytes.

    Args:
        folder: the folder for all files; it must not exist.
        cpus: number of CPUs that the node claims.
        accounting: also start an accounting database.
    """

    def __init__(self, folder: Path, cpus: int = 3, accounting: bool = False) -> None:
        self.folder, self.cpus, self.accounting = folder, cpus, accounting
        # A make within a make prints the folders it enters; a person runs make directly.
        typed = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        self.environment = {**typed, "PATH": f"{folder}/bin:{PATH}", "SLURM_CONF": str(folder / "slurm.conf")}
        self.environment["MYSQL_UNIX_PORT"] = str(folder / "mysql.socket")
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, *command: str, check: bool = True) -> str:
        """Return the output of a SLURM command."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}\n{self._logs()}")
        return done.stdout

    def jobs(self, *options: str) -> list[dict[str, str]]:
        """Return all jobs of the controller, oldest first, or those that ``options`` of squeue select."""
        names = ("id", "name", "partition", "state", "comment", "memory", "limit", "gres", "folder")
        text = self.ask(
            "squeue", "--noheader", "--states=all", "--sort=i", "--format=%i|%j|%P|%T|%k|%m|%l|%b|%Z", *options
        )
        return [dict(zip(names, line.split("|"), strict=True)) for line in text.splitlines()]

    def stop(self) -> None:
        """Cancel every job and end every process."""
        if len(self._daemons) > 1:
            self.ask("scancel", "--user", getpass.getuser(), check=False)
            _wait(lambda: not self.ask("squeue", "--noheader", check=False), 10)
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons.clear()

    def _start(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        controller, node, database = _free_ports(3)
        values = {"folder": self.folder, "host": socket.gethostname().split(".")[0], "user": getpass.getuser()}
        stored = WITH_DATABASE.format(folder=self.folder, port=database) if self.accounting else ""
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                **values, controller=controller, node=node, cpus=self.cpus, age=MIN_JOB_AGE_S,
                accounting=stored or "AccountingStorageType=accounting_storage/none",
            )
        )  # fmt: skip
        for number in (0, 1):
            os.mknod(self.folder / f"gpu{number}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        (self.folder / "gres.conf").write_text(f"Name=gpu Type=a100 File={self.folder}/gpu[0-1]\n")
        (self.folder / "bin").mkdir()
        for name in COMMANDS:
            self._lead(name)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        self._start_munge()
        if self.accounting:
            self._start_database(DATABASE.format(**values, port=database))
        self._daemon("slurmctld", "-D", "-i")
        self._until(lambda: "UP" in self.ask("scontrol", "ping", check=False))
        self._daemon("slurmd", "-D")
        self._until(lambda: self.ask("sinfo", "--noheader", "--format=%t", check=False).strip() == "idle")

    def _lead(self, name: str) -> None:
        """Direct a command to this cluster without SLURM_ variables, which Snakemake removes in a job."""
        command = self.folder / "bin" / name
        command.write_text(
            f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which(name, path=PATH)} "$@"\n'
        )
        command.chmod(0o755)

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        files = [f"--{name}-file={self.folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        self._daemon("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket", *files)
        self._until((self.folder / "munge.socket").exists)

    def _start_database(self, configuration: str) -> None:
        data, conf = self.folder / "mysql", self.folder / "slurmdbd.conf"
        self.ask(
            "mariadb-install-db", "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        )  # fmt: skip
        mysql = self.environment["MYSQL_UNIX_PORT"]
        self._daemon(
            "mariadbd", "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}", f"--socket={mysql}",
            "--skip-networking", "--innodb-buffer-pool-size=128M", "--innodb-lock-wait-timeout=900",
        )  # fmt: skip
        self._until(Path(mysql).exists)
        conf.write_text(configuration)
        conf.chmod(0o600)
        self._daemon("slurmdbd", "-D")
        self._until(lambda: self._succeeds("sacctmgr", "--noheader", "show", "cluster"))
        self.ask("sacctmgr", "--immediate", "add", "cluster", "toy")
        self.ask("sacctmgr", "--immediate", "add", "account", "research", "Cluster=toy")
        self.ask("sacctmgr", "--immediate", "add", "user", getpass.getuser(), "Account=research", "Cluster=toy")

    def _succeeds(self, *command: str) -> bool:
        return not subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode

    def _daemon(self, name: str, *options: str) -> None:
        """Start a process that ends with the tests, however they end; its output goes to a file."""
        program = shutil.which(name, path=PATH) or name
        with (self.folder / f"{name}.out").open("wb") as said:
            self._daemons.append(
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", program, *options], env=self.environment, stdout=said,
                    stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True,
                )
            )  # fmt: skip

    def _until(self, true: Callable[[], bool]) -> None:
        if not _wait(true, 60):
            raise RuntimeError(f"the test cluster did not start:\n{self._logs()}")

    def _logs(self) -> str:
        files = [path for path in sorted(self.folder.glob("*")) if path.suffix in (".out", ".log")]
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-1500:]}" for path in files)


def _wait(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()
