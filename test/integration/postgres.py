"""
postgres.py - private PostgreSQL servers with pgvector, for tests, the demo and people.

A server lives in a folder of its own: data, log and Unix socket, and a free port on
127.0.0.1.  It never touches a cluster that the machine already has.  Unless it is told
to outlive us, it dies with the thread that started it, whatever becomes of that.

PostgreSQL refuses to run as root: root's servers run as the user "postgres", so their
folder must be one which that user can reach.
"""

import contextlib
import functools
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

from children import dying_with_us

PROJECT = pathlib.Path(__file__).resolve().parents[2]
LONGEST_SOCKET_PATH = 107


class ServerError(Exception):
    """The server did not do what it was told; the message ends with its log."""


def major_version(installation):
    return int(installation.parent.name)


def find_installation():
    """The folder of the programs of a server that has pgvector, the newest one."""
    found = []
    for root in (pathlib.Path("/usr"), *PROJECT.glob("build-deps/postgresql-*")):
        for programs in root.glob("lib/postgresql/*/bin"):
            control = root / "share/postgresql" / programs.parent.name / "extension/vector.control"
            if control.exists() and (programs / "initdb").exists():
                found.append(programs)
    if not found:
        raise ServerError("no PostgreSQL server with pgvector here; run: tools/setup test")
    return max(found, key=major_version)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_user():
    """Whom the server runs as; None is ourselves."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def become(user):
    if user is not None:
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def can_reach(user, path):
    """Whether the server's user may enter the folder and run what is in it."""
    if user is None:
        return os.access(path, os.X_OK)
    test = subprocess.run(["test", "-x", path], preexec_fn=functools.partial(become, user), cwd="/")
    return test.returncode == 0


def reachable_copy(installation, user, folder):
    """The programs where the server's user can run them: a checkout below /root is closed to it."""
    if can_reach(user, installation / "postgres"):
        return installation
    root = installation.parents[3]
    copy = folder / "programs"
    if not copy.exists():
        shutil.copytree(root, copy, symlinks=True)
    return copy / installation.relative_to(root)


def processes():
    """All processes as (pid, parent's pid)."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = pathlib.Path("/proc", entry, "stat").read_text(errors="replace")
                yield int(entry), int(stat.rpartition(")")[2].split()[1])


def children_of(parent):
    return [pid for pid, ppid in processes() if ppid == parent]


def is_running(pid):
    with contextlib.suppress(OSError):
        stat = pathlib.Path("/proc", str(pid), "stat").read_text(errors="replace")
        return stat.rpartition(")")[2].split()[0] not in "ZX"
    return False


def wait_until(is_true, seconds):
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Postgres:
    """
    One server.

    folder    where it lives; None makes a temporary one, which remove() takes away again
    fsync     off is fast, and still safe when only processes are killed
    password  None trusts everybody on this machine; else SCRAM is asked for
    settings  further lines of postgresql.conf, as a dict
    variables further ones of the server's environment, as a dict
    outlive   the server goes on after this process; end it with stop()
    """

    def __init__(self, folder=None, *, fsync=False, password=None, settings=None, variables=None, outlive=False, port=None):
        self.temporary = folder is None
        self.user = server_user()
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="vecferry-postgres-")).absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.fsync = fsync
        self.password = password
        self.settings = dict(settings or {})
        self.variables = dict(variables or {})
        self.outlive = outlive
        self.port = port
        self.child = None
        self.databases = 0

    # -- making it ---------------------------------------------------------------------

    def make(self):
        """Makes the folder and the empty cluster, unless they are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.user is not None:
            os.chmod(self.folder, 0o755)
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        if not can_reach(self.user, self.folder):
            raise ServerError(f"the user postgres cannot reach {self.folder}; choose a folder below /tmp or /var/tmp")
        self.programs = reachable_copy(find_installation(), self.user, self.folder)
        self.sockets = self.socket_folder()
        if not (self.data / "postgresql.conf").exists():
            self.initialise()

    def socket_folder(self):
        if len(str(self.folder / ".s.PGSQL.65535.lock")) <= LONGEST_SOCKET_PATH:
            return self.folder
        known = self.folder / "sockets"
        if not known.exists():
            short = tempfile.mkdtemp(prefix="vecferry-socket-")
            if self.user is not None:
                os.chown(short, self.user.pw_uid, self.user.pw_gid)
            known.symlink_to(short)
        return known.readlink()

    def initialise(self):
        method = "trust" if self.password is None else "scram-sha-256"
        command = [
            self.programs / "initdb", "--pgdata", self.data, "--username", "postgres", "--auth", method,
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        password_file = None
        if self.password is not None:
            password_file = self.folder / "password"
            password_file.touch(0o600)
            password_file.write_text(self.password + "\n")
            if self.user is not None:
                os.chown(password_file, self.user.pw_uid, self.user.pw_gid)
            command += ["--pwfile", password_file]
        made = subprocess.run(
            command, preexec_fn=functools.partial(become, self.user), cwd=self.folder, env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if password_file is not None:
            password_file.unlink()
        if made.returncode != 0:
            raise ServerError(f"initdb failed:\n{made.stdout}")
        self.write_settings()

    def write_settings(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.sockets),
            "wal_level": "logical",
            "max_connections": "100",
            "max_wal_senders": "20",
            "max_replication_slots": "20",
            "shared_buffers": "128MB",
            "log_line_prefix": "%m [%p] %a ",
            "timezone": "UTC",
        }
        if not self.fsync:
            # Not synchronous_commit: without it a killed server forgets what it has committed.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        settings |= self.settings
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            for name, value in settings.items():
                quoted = str(value).replace("'", "''")
                conf.write(f"{name} = '{quoted}'\n")

    def environment(self):
        return {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder), **self.variables}

    # -- running it --------------------------------------------------------------------

    def start(self):
        """Starts the server and waits until it answers.  Returns itself."""
        if not hasattr(self, "programs"):
            self.make()
        if self.pid() is not None:
            self.port = self.port_of_running()
            return self
        port = self.port or self.port_of_last_time()
        if port is not None:
            return self.start_at(port)
        for _ in range(5):
            with contextlib.suppress(ServerError):
                return self.start_at(free_port())
        raise ServerError(f"the server did not start:\n{self.log_end()}")

    def start_at(self, port):
        self.forget_dead_server()
        prepare = functools.partial(become, self.user)
        if not self.outlive:
            prepare = dying_with_us(signal.SIGQUIT, before=prepare)
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-p", str(port)],
                preexec_fn=prepare, cwd=self.folder, env=self.environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if not wait_until(lambda: self.is_ready() or self.child.poll() is not None, 60) or not self.is_ready():
            self.kill9()
            raise ServerError(f"the server did not start:\n{self.log_end()}")
        self.port = port
        (self.folder / "port").write_text(f"{port}\n")
        return self

    def port_of_last_time(self):
        with contextlib.suppress(OSError):
            return int((self.folder / "port").read_text())
        return None

    def forget_dead_server(self):
        """A postmaster.pid left by a killed server can name a process that lives again as another."""
        if self.pid() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def pid_file(self):
        with contextlib.suppress(OSError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []

    def pid(self):
        """The server's process while it runs; never another process that has its number now."""
        lines = self.pid_file()
        if lines and is_running(int(lines[0])):
            with contextlib.suppress(OSError):
                if os.path.samefile(f"/proc/{lines[0]}/cwd", self.data):
                    return int(lines[0])
        return None

    def port_of_running(self):
        return int(self.pid_file()[3])

    def is_ready(self):
        lines = self.pid_file()
        return len(lines) >= 8 and lines[7].strip() == "ready" and self.pid() is not None

    def stop(self, mode="fast"):
        """fast ends sessions and writes everything; immediate is a crash that says goodbye."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
            if not wait_until(lambda: not is_running(pid), 60):
                self.kill9()
        self.reap()

    def kill9(self):
        """Kills the server and all its backends at once, as a power cut would."""
        pid = self.pid() or (self.child.pid if self.child is not None and self.child.poll() is None else None)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                victims = [pid, *children_of(pid)]
                for victim in victims:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                wait_until(lambda: not any(is_running(victim) for victim in victims), 30)
        self.reap()

    def restart(self, mode="fast"):
        """Stops and starts the server on the same port.  mode: as of stop(), or "kill9"."""
        if mode == "kill9":
            self.kill9()
        else:
            self.stop(mode)
        self.start()

    def reap(self):
        if self.child is not None:
            self.child.wait()
            self.child = None

    def remove(self):
        """Ends the server and takes its folder away, if that was made for it."""
        self.stop("immediate")
        sockets = self.folder / "sockets"
        if sockets.is_symlink():
            shutil.rmtree(sockets.readlink(), ignore_errors=True)
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    def log_end(self, lines=30):
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    # -- using it ----------------------------------------------------------------------

    def url(self, database="postgres", *, socket=False, password=True):
        login = "postgres"
        if password and self.password is not None:
            login += ":" + urllib.parse.quote(self.password, safe="")
        if socket:
            folder = urllib.parse.quote(str(self.sockets), safe="")
            return f"postgresql://{login}@/{database}?host={folder}&port={self.port}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def connect(self, database="postgres"):
        """A psycopg2 connection in autocommit mode."""
        import psycopg2

        connection = psycopg2.connect(self.url(database), connect_timeout=10)
        connection.autocommit = True
        return connection

    def execute(self, sql, parameters=None, *, database="postgres"):
        """Sends one statement on a connection of its own; its rows, if it has any."""
        with contextlib.closing(self.connect(database)) as connection:
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else None

    def new_database(self, name=None, *, template=None):
        """Makes a database with the extension vector, or a copy of another; its name."""
        self.databases += 1
        name = name or f"test_{self.databases}"
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"unfit for a database's name: {name!r}")
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}")
        if template is None:
            self.execute("CREATE EXTENSION vector", database=name)
        return name

    def drop_database(self, name):
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
